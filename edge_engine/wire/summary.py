"""How a run is going: what `run --json` prints, `engine.summary()` returns and GetStatistics asks for."""

from __future__ import annotations

import msgspec


class StageSummary(msgspec.Struct, frozen=True):
    """Working time per published frame, in milliseconds."""

    p50: float
    p99: float


class LatencySummary(msgspec.Struct, frozen=True):
    """From the capture stamp to the moment before sending, in milliseconds."""

    p50: float
    p90: float
    p99: float
    max: float


class StreamSummary(msgspec.Struct, frozen=True):
    """captured = published + in_flight + Σ dropped. `reasons`: what went wrong last, by cause of a drop.

    `state` and `state_reason`: the source's, as of now; `reconnects`: how often it was lost; `missed`:
    pictures that never reached the engine, as far as it knows; `paused`: nothing is recognised, by request.
    """

    captured: int
    published: int
    in_flight: int
    dropped: dict[str, int]
    fps: float
    latency_ms: LatencySummary
    stages_ms: dict[str, StageSummary]
    reasons: dict[str, str]
    state: str
    state_reason: str
    reconnects: int
    missed: int
    paused: bool = False


class Summary(msgspec.Struct, frozen=True):
    """`seconds`: since the engine started, until it stopped. `model`: the one in use."""

    streams: dict[str, StreamSummary]
    model: str
    provider: str
    seconds: float
