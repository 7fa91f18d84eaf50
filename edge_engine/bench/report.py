"""Report: what a benchmark found, as its JSON file has it. Times are milliseconds unless named otherwise."""

from __future__ import annotations

import msgspec

from edge_engine.models.providers import Setting

REPORT_VERSION = 1


class Machine(msgspec.Struct, frozen=True):
    """What was measured on, and with which versions."""

    system: str
    processor: str
    cores: int
    memory_gb: float
    python: str
    versions: dict[str, str]


class Subject(msgspec.Struct, frozen=True):
    """What ran: `sha256` is the model file's, `input_size` (width, height) after trimming."""

    scenario: str
    hint: str
    policy: str
    sources: dict[str, str]
    model: str
    sha256: str
    setting: Setting
    input_size: tuple[int, int] | None = None


class Percentiles(msgspec.Struct, frozen=True):
    p50: float
    p90: float
    p99: float
    p999: float


class Stage(msgspec.Struct, frozen=True):
    """`wall_ms` is working time per published frame, `cpu_ms` what the stage's threads used per published
    frame. What they did with their time, as shares of it that sum up to 1: `input` waiting for a frame,
    `working`, `room` waiting for a place to put it."""

    wall_ms: Percentiles
    cpu_ms: float
    input: float
    working: float
    room: float


class Stream(msgspec.Struct, frozen=True):
    """Frames of the measured time. `latency_ms`: capture to the moment of sending."""

    captured: int
    published: int
    dropped: dict[str, int]
    fps: float
    latency_ms: Percentiles


class Receipt(msgspec.Struct, frozen=True):
    """What a subscriber in another process saw.

    `latency_ms`: capture to receipt. Age of information: at any moment, how old the newest result in hand
    is: `age_mean_ms` over time, `age_peak_ms` just before the next one comes (arXiv:2007.08564).
    """

    received: int
    latency_ms: Percentiles
    age_mean_ms: float
    age_peak_ms: Percentiles


class Alone(msgspec.Struct, frozen=True):
    """Each stage's CPU time per frame with nothing else running, the mean of before and after the run.

    `scaling`: one inference per core at a time, on all cores at once, against one core alone: what memory
    and clock take away before the engine does anything.
    """

    cpu_ms: dict[str, float]
    scaling: float


class Sample(msgspec.Struct, frozen=True):
    """One second of the run. None: the system doesn't show it."""

    second: float
    fps: float
    latency_p50_ms: float
    latency_p99_ms: float
    cpu_ms_per_frame: float
    rss_mb: float
    temperature_c: float | None
    clock_mhz: float | None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One run. `efficiency` = fps ÷ limit_fps; `limit_fps` = cores ÷ Σ CPU per frame, each stage alone.

    `cpu_percent`: of all cores. `frame_allocations`: blocks of at least `frame_bytes` that were allocated
    in the measured time; None where they can't be counted.
    """

    version: int = REPORT_VERSION
    created_utc: str
    machine: Machine
    subject: Subject
    seconds: float
    fps: float
    limit_fps: float
    efficiency: float
    bottleneck: str
    start_up_s: float
    stages: dict[str, Stage]
    other_cpu_ms: float
    alone: Alone
    streams: dict[str, Stream]
    receipt: Receipt | None
    cpu_percent: float
    rss_mb: float
    frame_bytes: int
    frame_allocations: int | None
    throttled: bool | None
    samples: list[Sample]
