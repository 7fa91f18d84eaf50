"""Histogram of durations: percentiles of a whole run in fixed memory, within half a per cent."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_engine.clock import to_ms

# Bucket i holds durations from GROWTH**i to GROWTH**(i+1) nanoseconds: 1 µs … 1000 s, ± 0.5 %.
_GROWTH = 1.01
_SMALLEST_NS = 1_000
BUCKETS = math.ceil(math.log(1e9) / math.log(_GROWTH)) + 1
"""How many there are of them."""

_SCALE = 1 / math.log(_GROWTH)


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Milliseconds; NaN-free: all zero when nothing was recorded."""

    p50: float
    p90: float
    p99: float
    max: float


class Histogram:
    """One thread records; any thread may read (a reader may miss the newest record).

    `total_ns` is the sum of all records.
    """

    def __init__(self) -> None:
        self._counts = np.zeros(BUCKETS, np.int64)
        self._max_ns = 0
        self.total_ns = 0

    def record(self, duration_ns: int) -> None:
        bucket = int(math.log(max(duration_ns, _SMALLEST_NS) / _SMALLEST_NS) * _SCALE)
        self._counts[min(bucket, BUCKETS - 1)] += 1
        self._max_ns = max(self._max_ns, duration_ns)
        self.total_ns += duration_ns

    def counts(self) -> NDArray[np.int64]:
        """A copy of all buckets; subtract two of them to look at what came between."""
        return self._counts.copy()

    def percentiles(self, since: NDArray[np.int64] | None = None) -> Percentiles:
        """Of all records, or of those after the buckets in `since` were copied (`max` is of all)."""
        counts = self._counts if since is None else self._counts - since
        p50, p90, p99 = (min(percentile_ms(counts, share), to_ms(self._max_ns)) for share in (0.5, 0.9, 0.99))
        return Percentiles(round(p50, 3), round(p90, 3), round(p99, 3), round(to_ms(self._max_ns), 3))


def percentile_ms(counts: NDArray[np.int64], share: float) -> float:
    """Of what lies in the buckets `counts`; `share` is 0.99 for p99. 0 when nothing does."""
    cumulated = np.cumsum(counts)
    total = int(cumulated[-1])
    if total == 0:
        return 0.0
    bucket = int(np.searchsorted(cumulated, math.ceil(share * total)))
    return to_ms(round(_SMALLEST_NS * _GROWTH ** (bucket + 0.5)))
