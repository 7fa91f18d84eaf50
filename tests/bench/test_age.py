"""Age of information: the closed form against a clock that looks every millisecond."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_engine.bench.evaluate import age_of_information
from edge_engine.bench.measure import Arrival

MS = 1_000_000
Steps = st.lists(st.tuples(st.integers(1, 50), st.integers(1, 80)), min_size=2, max_size=20)


@given(Steps)
def test_mean_and_peaks_are_those_of_a_clock_that_looks_all_the_time(steps: list[tuple[int, int]]) -> None:
    received_ms = np.cumsum([gap for gap, _ in steps])
    captured_ms = np.maximum.accumulate(received_ms - [delay for _, delay in steps])
    arrivals = [
        Arrival("a", int(captured) * MS, int(received) * MS)
        for captured, received in zip(captured_ms, received_ms, strict=True)
    ]
    mean_ms, peaks_ms = age_of_information(arrivals)
    looks_ms = np.arange(received_ms[0], received_ms[-1]) + 0.5
    newest = captured_ms[np.searchsorted(received_ms, looks_ms, side="right") - 1]
    assert mean_ms == pytest.approx(float(np.mean(looks_ms - newest)))
    assert peaks_ms == pytest.approx((received_ms[1:] - captured_ms[:-1]).tolist())
