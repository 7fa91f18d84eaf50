"""Histogram: what values a tensor takes over all pictures, and within which range they are quantized.

Its size is fixed, however many values come: when they exceed its range, the range doubles and bins are
merged in pairs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

Method = Literal["minmax", "percentile", "mse"]
METHODS: tuple[Method, ...] = get_args(Method)

Reading: TypeAlias = "Callable[[NDArray[np.float64]], NDArray[np.float64]]"
"""What follows makes of a tensor's values, number by number."""

_HALF = 2048  # bins on each side of zero
_PERCENTILE = 99.99
_SAMPLES = 1 << 14  # values of one picture that are counted; its extremes are exact
_SHARES = np.geomspace(1.0, 0.02, 40)  # of the extreme, tried as the end of a range


class Range(NamedTuple):
    """What is represented: low <= 0 <= high, so that zero is exact."""

    low: float
    high: float


class Histogram:
    """One tensor's values, counted in bins from -reach to reach."""

    def __init__(self) -> None:
        self.low, self.high = 0.0, 0.0
        self.reach = 0.0
        self.counts = np.zeros(2 * _HALF, np.int64)

    @classmethod
    def of(cls, ends: tuple[float, float, float], counts: NDArray[np.int64]) -> Histogram:
        """`ends`: low, high and reach."""
        made = cls()
        (made.low, made.high, made.reach), made.counts = ends, counts
        return made

    def add(self, values: NDArray[np.float32]) -> None:
        """Infinities, which pad what is pooled, don't count. ValueError for what is not a number."""
        low, high = float(values.min(initial=0)), float(values.max(initial=0))
        if np.isnan(low) or np.isnan(high):
            raise ValueError("not all of its values are numbers")
        if np.isinf(low) or np.isinf(high):
            values = values[np.isfinite(values)]
            low, high = float(values.min(initial=0)), float(values.max(initial=0))
        self.low, self.high = min(self.low, low), max(self.high, high)
        self._reach_out(max(-low, high))
        if self.reach > 0:
            flat = values.ravel()
            some = flat[:: max(1, flat.size // _SAMPLES)]
            bins = np.clip((some / self.reach + 1) * _HALF, 0, 2 * _HALF - 1).astype(np.int64)
            self.counts += np.bincount(bins, minlength=2 * _HALF)

    def _reach_out(self, extreme: float) -> None:
        if self.reach == 0:
            self.reach = extreme
        while extreme > self.reach:
            merged = self.counts.reshape(-1, 2).sum(axis=1)
            self.counts[:] = 0
            self.counts[_HALF // 2 : -_HALF // 2] = merged
            self.reach *= 2

    def range(self, method: Method, read_as: Reading | None = None) -> Range:
        """`read_as`: where an activation function is all that reads the tensor, what it makes of it."""
        whole = Range(self.low, self.high)
        if method == "minmax" or not self.counts.any():
            return whole
        if method == "percentile":
            return self._percentile(whole)
        return self._least_error(whole, read_as or _as_it_is)

    def _percentile(self, whole: Range) -> Range:
        """Without the outermost values on either side."""
        shares = np.cumsum(self.counts) / self.counts.sum()
        tail = (1 - _PERCENTILE / 100) / 2
        edges = (np.arange(2 * _HALF + 1) / _HALF - 1) * self.reach
        first, last = np.searchsorted(shares, [tail, 1 - tail])
        low, high = float(edges[first]), float(edges[last + 1])
        return Range(max(whole.low, min(low, 0.0)), min(whole.high, max(high, 0.0)))

    def _least_error(self, whole: Range, read_as: Reading) -> Range:
        """Of the ends that are tried, one side after the other, those of the least mean squared error when
        256 steps stand for everything between them and what lies outside is clipped."""
        used = np.flatnonzero(self.counts)
        centres = ((used + 0.5) / _HALF - 1) * self.reach
        weights, meant = self.counts[used].astype(np.float64), read_as(centres)

        def error(low: float, high: float) -> float:
            step = (high - low) / 255
            if step <= 0:
                return float("inf")
            nearest = np.round((np.clip(centres, low, high) - low) / step) * step + low
            return float(((read_as(nearest) - meant) ** 2 * weights).sum())

        low, high = whole
        for _ in range(2):
            high = min((whole.high * share for share in _SHARES), key=lambda end: error(low, end))
            low = min((whole.low * share for share in _SHARES), key=lambda end: error(end, high))
        return Range(low, high)


def _as_it_is(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values
