"""Subject: the engine that is measured, alone in its process; tells once a second what it has done.

    python -m edge_engine.bench.subject < config.json

Prints an Introduction, then Snapshots until SIGTERM or the streams' end, one JSON object a line.
"""

from __future__ import annotations

import signal
import sys
import threading

import msgspec
import numpy as np
import psutil

from edge_engine.bench import allocations
from edge_engine.clock import NS_PER_S, monotonic_ns
from edge_engine.config import Config
from edge_engine.engine import Engine
from edge_engine.errors import EdgeEngineError
from edge_engine.histogram import Histogram
from edge_engine.models.providers import Setting
from edge_engine.stages.record import StreamRecord
from edge_engine.summary import StageActivity

_EVERY_NS = NS_PER_S


class Introduction(msgspec.Struct, frozen=True):
    """What runs, as it came to be."""

    model: str
    path: str
    setting: Setting
    endpoint: str | None


class StreamSnapshot(msgspec.Struct, frozen=True):
    """Counters and timings since the start; a histogram is its filled buckets, by index."""

    captured: int
    published: int
    dropped: dict[str, int]
    first_published_ns: int
    latency: dict[int, int]
    stages: dict[str, dict[int, int]]
    capture_work_ns: int
    size: tuple[int, int] | None


class Snapshot(msgspec.Struct, frozen=True):
    """One moment. `large_blocks`: as `allocations.counted` has it, of at least `frame_bytes`."""

    at_ns: int
    cpu_ns: int
    rss_bytes: int
    frame_bytes: int
    large_blocks: int | None
    activity: dict[str, StageActivity]
    streams: dict[str, StreamSnapshot]


def main() -> None:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    config = msgspec.json.decode(sys.stdin.buffer.read(), type=Config)
    try:
        with Engine(config, collect=False) as engine:
            _tell(_introduction(engine))
            _watch(engine, stop)
    except EdgeEngineError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
    except BrokenPipeError:  # whoever measured has gone
        sys.exit(0)


def _introduction(engine: Engine) -> Introduction:
    endpoint = next((getattr(output, "endpoint", None) for output in engine.outputs), None)
    return Introduction(
        engine.model.spec.name,
        str(engine.model.path),
        engine.model.setting,
        endpoint,
    )


def _watch(engine: Engine, stop: threading.Event) -> None:
    process = psutil.Process()
    due_ns = monotonic_ns()
    frame_bytes = 0
    has_ended = False
    while not (stop.is_set() or has_ended):
        due_ns += _EVERY_NS
        while not has_ended and not stop.is_set() and (left_ns := due_ns - monotonic_ns()) > 0:
            has_ended = engine.wait(min(left_ns / NS_PER_S, 0.1))
        if not frame_bytes and (frame_bytes := _frame_bytes(engine)):
            allocations.count_from(frame_bytes)
        _tell(_snapshot(engine, process, frame_bytes))


def _frame_bytes(engine: Engine) -> int:
    """The smallest thing that counts as a frame: one byte per pixel of a source, or the model's input.

    0 before every stream has published.
    """
    sizes = [size for record in engine.streams.values() if (size := _size(record)) is not None]
    if len(sizes) < len(engine.streams):
        return 0
    return min(min(width * height, engine.models.of((width, height)).input_bytes) for width, height in sizes)


def _size(record: StreamRecord) -> tuple[int, int] | None:
    return record.last_result.frame.size if record.last_result is not None else None


def _snapshot(engine: Engine, process: psutil.Process, frame_bytes: int) -> Snapshot:
    times = process.cpu_times()
    return Snapshot(
        monotonic_ns(),
        int((times.user + times.system) * NS_PER_S),
        process.memory_info().rss,
        frame_bytes,
        allocations.counted(),
        engine.activity(),
        {name: _stream(record) for name, record in engine.streams.items()},
    )


def _stream(record: StreamRecord) -> StreamSnapshot:
    counts = record.ledger.counts()
    return StreamSnapshot(
        counts.captured,
        counts.published,
        counts.dropped,
        record.first_published_ns,
        _sparse(record.latency),
        {stage: _sparse(histogram) for stage, histogram in record.stages.items()},
        record.stages["capture"].total_ns,
        _size(record),
    )


def _sparse(histogram: Histogram) -> dict[int, int]:
    counts = histogram.counts()
    filled = np.flatnonzero(counts)
    return dict(zip(filled.tolist(), counts[filled].tolist(), strict=True))


def _tell(what: Introduction | Snapshot) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(what) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
