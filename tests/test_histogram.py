"""Histogram: percentiles within half a per cent of the sorted list's."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_engine.histogram import Histogram


@given(st.lists(st.integers(1_000, 10**12), min_size=1, max_size=300))
def test_percentiles_are_those_of_the_sorted_durations(durations_ns: list[int]) -> None:
    histogram = Histogram()
    for duration_ns in durations_ns:
        histogram.record(duration_ns)
    percentiles = histogram.percentiles()
    ordered = sorted(durations_ns)
    for share, got in ((0.5, percentiles.p50), (0.9, percentiles.p90), (0.99, percentiles.p99)):
        expected_ms = ordered[math.ceil(share * len(ordered)) - 1] / 1e6
        assert abs(got - expected_ms) <= 0.005 * expected_ms + 0.0006, "half a per cent, and rounding to 1 µs"
    assert percentiles.max == pytest.approx(ordered[-1] / 1e6, abs=0.001)


def test_nothing_recorded_is_zero() -> None:
    percentiles = Histogram().percentiles()
    assert (percentiles.p50, percentiles.p99, percentiles.max) == (0, 0, 0)


def test_a_window_sees_only_what_came_after() -> None:
    histogram = Histogram()
    histogram.record(1_000_000)
    mark = histogram.counts()
    histogram.record(5_000_000)
    assert histogram.percentiles(since=mark).p50 == pytest.approx(5, rel=0.006)


@pytest.mark.parametrize("duration_ns", [-5, 0, 1, 10**15])
def test_impossible_durations_stay_in_the_table(duration_ns: int) -> None:
    histogram = Histogram()
    histogram.record(duration_ns)
    assert histogram.counts().sum() == 1
