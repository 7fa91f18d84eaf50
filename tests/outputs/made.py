"""What outputs are given: circumstances, and results as an engine would publish them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge_engine.clock import NS_PER_MS, monotonic_ns, utc_ns
from edge_engine.config import CameraConfig, Config, OutputsConfig, StreamConfig, TrackingConfig
from edge_engine.frame import Frame
from edge_engine.ledger import Counts
from edge_engine.outputs.output import Circumstances, Health
from edge_engine.result import Objects, Result, Tracking, TrackState
from edge_engine.state import Status, StreamState
from edge_engine.wire import DescribeMessage

LABELS = ("person", "car", "traffic light")
RUNNING = Health(Counts(1, 1, 0, {}), Status(StreamState.RUNNING), 0, {})


def circumstances(outputs: OutputsConfig, *streams: str, camera: CameraConfig | None = None) -> Circumstances:
    config = Config(
        streams={stream: StreamConfig(source="push:", camera=camera) for stream in streams},
        outputs=outputs,
        tracking=TrackingConfig(max_lost_ms=300),
    )
    described = {
        stream: DescribeMessage(
            stream=stream, session="s", model="m", task="detect", labels=LABELS, max_age_ms=500
        )
        for stream in streams
    }
    return Circumstances(config, described, "s")


def objects(
    rows: Sequence[tuple[str, tuple[float, float, float, float]]], ids: Sequence[int] | None = None
) -> Objects:
    n = len(rows)
    tracking = None
    if ids is not None:
        states = np.full(n, TrackState.CONFIRMED, np.int8)
        tracking = Tracking(
            np.array(ids, np.int64), states, np.zeros((n, 2), np.float32), np.zeros((n, 2, 2), np.float32)
        )
    return Objects(
        np.array([box for _, box in rows], np.float32).reshape(-1, 4),
        np.linspace(0.9, 0.5, n).astype(np.float32),
        np.array([LABELS.index(label) for label, _ in rows], np.int32),
        tracking=tracking,
    )


def result(
    stream: str, found: Objects, *, seq: int = 0, doubt: str = "", age_ms: int = 0, valid_ms: int = 500
) -> Result:
    now_ns = monotonic_ns()
    captured_ns = now_ns - age_ms * NS_PER_MS
    frame = Frame(stream, seq, captured_ns, utc_ns(), (640, 480), None, doubt=doubt)
    return Result(frame, found, LABELS, "m", "s", captured_ns + valid_ms * NS_PER_MS, now_ns)


COUNTS = Counts(1, 1, 0, {})
