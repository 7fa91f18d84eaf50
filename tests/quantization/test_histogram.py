"""Histogram: extremes are exact, nothing gets lost as the range grows, and ranges hold what counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_engine.quantization.histogram import METHODS, Histogram, Method

pieces = st.lists(
    st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=50).map(lambda v: np.array(v, np.float32)),
    min_size=1,
    max_size=6,
)


def counted(parts: list[NDArray[np.float32]]) -> Histogram:
    histogram = Histogram()
    for part in parts:
        histogram.add(part)
    return histogram


@given(pieces)
@settings(deadline=None, max_examples=50)
def test_extremes_are_exact_and_every_value_stays_counted(parts: list[NDArray[np.float32]]) -> None:
    histogram, whole = counted(parts), np.concatenate(parts)
    assert (histogram.low, histogram.high) == (min(whole.min(), 0), max(whole.max(), 0))
    if whole.any():
        first = next(i for i, part in enumerate(parts) if part.any())
        assert histogram.counts.sum() == sum(part.size for part in parts[first:])


@given(pieces, st.sampled_from(METHODS))
@settings(deadline=None, max_examples=50)
def test_ranges_hold_zero_and_nothing_that_never_came(
    parts: list[NDArray[np.float32]], method: Method
) -> None:
    histogram = counted(parts)
    found = histogram.range(method)
    assert histogram.low <= found.low <= 0 <= found.high <= histogram.high


def error(values: NDArray[np.float32], low: float, high: float) -> float:
    step = (high - low) / 255
    near = np.round((np.clip(values, low, high) - low) / step) * step + low
    return float(((near - values) ** 2).mean())


def test_a_few_stray_values_do_not_take_the_steps_from_all_others() -> None:
    values = np.random.default_rng(1).normal(size=100_000).astype(np.float32)
    values[7:9] = 60
    histogram = counted([values])
    found = histogram.range("percentile")
    assert found.high < 30
    assert error(values[9:], *found) < error(values[9:], *histogram.range("minmax")) / 2


def test_the_least_error_is_no_more_than_that_of_the_whole_range() -> None:
    values = np.random.default_rng(1).standard_cauchy(16_000).astype(np.float32)
    histogram = counted([values])
    least, whole = (error(values, *histogram.range(method)) for method in ("mse", "minmax"))
    assert least < 0.9 * whole


def test_what_the_reader_makes_nothing_of_gets_no_steps() -> None:
    values = np.random.default_rng(1).uniform(-40, 10, 100_000).astype(np.float32)
    found = counted([values]).range("mse", lambda x: np.maximum(x, 0))
    assert found.low > -2
    assert found.high > 9


def test_infinite_padding_does_not_count_and_nan_is_refused() -> None:
    histogram = counted([np.array([-np.inf, 1, 2], np.float32)])
    assert histogram.range("minmax") == (0, 2)
    with pytest.raises(ValueError, match="numbers"):
        histogram.add(np.array([np.nan], np.float32))
