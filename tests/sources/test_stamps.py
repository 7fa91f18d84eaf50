"""Timeline: a picture that the network held up looks as old as it is, and none looks newer than it came."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from edge_engine.clock import NS_PER_MS, NS_PER_S
from edge_engine.sources.stamps import MAX_DRIFT, WINDOW_NS, Timeline

PERIOD_NS = 40 * NS_PER_MS
START_NS = 1000 * NS_PER_S


def received(delays_ms: list[int], clock_ns: int = 0, drift: float = 0.0) -> list[tuple[int, int, int]]:
    """(captured, arrived, stamped) of a picture each 40 ms; the sender's clock is off by so much."""
    timeline, seen, arrived_ns = Timeline(), [], 0
    for number, delay_ms in enumerate(delays_ms):
        captured_ns = START_NS + number * PERIOD_NS
        arrived_ns = max(arrived_ns, captured_ns + delay_ms * NS_PER_MS)  # TCP keeps the order
        pts_ns = int((captured_ns - clock_ns) * (1 + drift))
        timeline.arrived(pts_ns, arrived_ns)
        seen.append((captured_ns, arrived_ns, timeline.captured_ns(pts_ns, arrived_ns)))
    return seen


@settings(deadline=None)
@given(st.lists(st.integers(0, 5000), min_size=1, max_size=200), st.integers(-(10**12), 10**12))
def test_stamps_are_never_before_the_capture_nor_after_the_arrival_and_increase(
    delays_ms: list[int], clock_ns: int
) -> None:
    seen = received(delays_ms, clock_ns)
    for captured_ns, arrived_ns, stamp_ns in seen:
        assert captured_ns <= stamp_ns <= arrived_ns + len(seen)
    stamps = [stamp for _, _, stamp in seen]
    assert all(one < other for one, other in itertools.pairwise(stamps))


@settings(deadline=None)
@given(st.integers(0, 50), st.lists(st.integers(0, 9000), min_size=1, max_size=100))
def test_what_never_goes_away_of_the_delay_is_all_that_is_unknown(least_ms: int, more_ms: list[int]) -> None:
    seen = received([least_ms, *(least_ms + more for more in more_ms)])
    assert [stamp - captured for captured, _, stamp in seen] == [least_ms * NS_PER_MS] * len(seen)


def test_a_stall_of_any_length_and_its_burst_show_their_age() -> None:
    delays_ms = [5] * 100 + [20_000 - 40 * number for number in range(500)] + [5] * 100
    for captured_ns, _, stamp_ns in received(delays_ms):
        assert stamp_ns - captured_ns == 5 * NS_PER_MS


def test_what_stays_late_goes_on_to_look_late() -> None:
    """Such as the pictures of a camera that sends faster than they can be decoded, or a network can carry."""
    late_ms, minutes = 3000, 5
    seen = received([5] * 25 * 60 + [late_ms] * 25 * 60 * minutes)
    for captured_ns, arrived_ns, stamp_ns in seen[25 * 60 :]:
        forgiven_ns = MAX_DRIFT * (arrived_ns - seen[25 * 60][1])
        assert stamp_ns - captured_ns <= 5 * NS_PER_MS + forgiven_ns
        assert arrived_ns - stamp_ns > 2000 * NS_PER_MS


def test_a_clock_that_runs_fast_or_slow_is_followed() -> None:
    for drift in (-1e-3, -2e-4, 2e-4, 1e-3):  # the largest: pictures counted as 30 a second that are 29.97
        seen = received([5] * 25 * 300, drift=drift)
        errors = [abs(stamp - captured - 5 * NS_PER_MS) for captured, _, stamp in seen]
        assert max(errors) <= 2 * WINDOW_NS * abs(drift) * 1.1


def test_a_sender_that_sets_its_clock_anew_is_believed_from_then_on() -> None:
    timeline = Timeline()
    for number in range(200):
        arrived_ns = START_NS + number * PERIOD_NS
        pts_ns = number * PERIOD_NS if number < 100 else (number + 10**6) * PERIOD_NS
        timeline.arrived(pts_ns, arrived_ns)
        assert timeline.captured_ns(pts_ns, arrived_ns) == arrived_ns
    for number in range(200, 300):
        arrived_ns = START_NS + number * PERIOD_NS
        timeline.arrived((number - 200) * PERIOD_NS, arrived_ns)
        assert timeline.captured_ns((number - 200) * PERIOD_NS, arrived_ns) == arrived_ns


def test_pictures_sent_out_of_their_order_and_without_a_stamp() -> None:
    timeline = Timeline()
    for number, pts in enumerate([0, 3, 1, 2, 6, 4, 5]):
        timeline.arrived(pts * PERIOD_NS, START_NS + number * PERIOD_NS)
    stamps = [timeline.captured_ns(pts * PERIOD_NS, START_NS + 7 * PERIOD_NS) for pts in range(7)]
    assert stamps == [START_NS + (pts - 2) * PERIOD_NS for pts in range(7)]
    now_ns = START_NS + 8 * PERIOD_NS
    assert timeline.captured_ns(None, now_ns) == now_ns
    assert Timeline().captured_ns(5, now_ns) == now_ns
