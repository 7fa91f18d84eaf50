"""Backlog: what comes too fast after a pause is the past; a camera that is only faster is soon believed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge_engine.clock import NS_PER_MS
from edge_engine.sources.backlog import Backlog

PERIOD_NS = 40 * NS_PER_MS


def steady(backlog: Backlog, pictures: int = 50) -> int:
    for number in range(pictures):
        backlog.came(1, number * PERIOD_NS)
    return (pictures - 1) * PERIOD_NS


def test_a_stream_without_a_pause_is_never_held_up() -> None:
    backlog = Backlog()
    for number in range(50):
        backlog.came(1, number * PERIOD_NS)
        assert backlog.wait_s == 0


def test_after_a_pause_the_newest_is_waited_for_half_a_period() -> None:
    backlog = Backlog()
    backlog.came(1, steady(backlog) + 20 * PERIOD_NS)
    assert 0.015 < backlog.wait_s < 0.025
    backlog.end()
    assert backlog.wait_s == 0


@given(st.integers(3, 500), st.integers(1, 4))
def test_no_more_is_left_out_than_fits_into_the_pause(periods: int, at_once: int) -> None:
    backlog = Backlog()
    now_ns = steady(backlog) + periods * PERIOD_NS
    backlog.came(1, now_ns)
    left_out = 0
    while backlog.wait_s:
        now_ns += NS_PER_MS
        backlog.came(at_once, now_ns)
        left_out += at_once
    assert left_out <= periods + at_once
