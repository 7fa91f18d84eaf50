"""Monotonic and UTC stamps, in nanoseconds.

Durations and deadlines use the monotonic clock, which never jumps; UTC travels beside it for
people and for machines that don't share this one's monotonic clock.
"""

from __future__ import annotations

import hashlib
import time
from functools import cache
from pathlib import Path

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000

monotonic_ns = time.monotonic_ns
"""CLOCK_MONOTONIC on Linux: shared by all processes of a machine since boot."""

utc_ns = time.time_ns
"""Wall clock since the Unix epoch; may jump when somebody sets it."""


def to_ms(duration_ns: float) -> float:
    return duration_ns / NS_PER_MS


@cache
def clock_id() -> str:
    """Names this process's monotonic clock: equal in all processes whose stamps can be compared, which are
    those of one machine since one boot, in one time namespace (time_namespaces(7)). Empty where the system
    doesn't tell.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
    try:
        namespace = Path("/proc/self/ns/time").stat().st_ino
    except OSError:  # a kernel without them
        namespace = 0
    return hashlib.blake2b(f"{boot}/{namespace}".encode(), digest_size=8).hexdigest()
