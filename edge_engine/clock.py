"""Monotonic and UTC stamps, in nanoseconds.

Durations and deadlines use the monotonic clock, which never jumps; UTC travels beside it for
people and for machines that don't share this one's monotonic clock.
"""

from __future__ import annotations

import time

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000

monotonic_ns = time.monotonic_ns
"""CLOCK_MONOTONIC on Linux: shared by all processes of a machine since boot."""

utc_ns = time.time_ns
"""Wall clock since the Unix epoch; may jump when somebody sets it."""


def to_ms(duration_ns: float) -> float:
    return duration_ns / NS_PER_MS
