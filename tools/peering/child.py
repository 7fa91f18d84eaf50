"""One way, measured, in a process of its own:  python -m tools.peering.child WAY MODEL CLIP SECONDS

Prints a Measured as JSON.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from pathlib import Path

import msgspec
import numpy as np
import psutil

_WARM_UP_S = 1.0


class Measured(msgspec.Struct, frozen=True):
    """`latency`: from reading a frame to its boxes. `cpu_ms` is per frame, of all its processes."""

    fps: float
    latency_p50_ms: float
    latency_p99_ms: float
    cpu_ms: float
    rss_mb: float


def measure(way: str, model: Path, clip: Path, seconds: float) -> Measured:
    from tools.peering.ways import WAYS

    results = WAYS[way](model, clip)
    next(results)
    _run(results, _WARM_UP_S)
    before_s, started_s = _cpu_s(), time.monotonic()
    latencies_ms = _run(results, seconds)
    elapsed_s = time.monotonic() - started_s
    p50, p99 = np.percentile(latencies_ms, [50, 99])
    cpu_ms = 1000 * (_cpu_s() - before_s) / len(latencies_ms)
    rss_mb = sum(process.memory_info().rss for process in _processes()) / 1e6
    return Measured(len(latencies_ms) / elapsed_s, float(p50), float(p99), cpu_ms, rss_mb)


def _run(results: object, seconds: float) -> list[float]:
    latencies_ms = []
    until_s = time.monotonic() + seconds
    for started_ns in results:  # type: ignore[attr-defined]
        latencies_ms.append((time.monotonic_ns() - started_ns) / 1e6)
        if time.monotonic() >= until_s:
            break
    return latencies_ms


def _processes() -> list[psutil.Process]:
    mine = psutil.Process()
    return [mine, *mine.children(recursive=True)]


def _cpu_s() -> float:
    return sum(sum(process.cpu_times()[:2]) for process in _processes())


if __name__ == "__main__":
    sys.stdout.write(
        msgspec.json.encode(
            measure(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4]))
        ).decode()
        + "\n"
    )
    sys.stdout.flush()
    for process in multiprocessing.active_children():
        process.kill()
    os._exit(0)  # some leave threads behind that an orderly end would trip over
