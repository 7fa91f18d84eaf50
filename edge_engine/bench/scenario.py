"""Scenarios, as MLPerf Inference has them, as changes to a configuration."""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from edge_engine.bench.report import Report
from edge_engine.config import Config, OutputsConfig, StreamConfig, ZeroMqConfig
from edge_engine.errors import UsageError

_ANY_FREE_PORT = OutputsConfig(zeromq=ZeroMqConfig(endpoint="tcp://127.0.0.1:*"))
_OFFLINE_MAX_AGE_MS = 600_000


class Scenario(NamedTuple):
    """`is_live`: cameras at their own rate, the newest frame wins; else every frame, as fast as possible."""

    is_live: bool
    hint: str
    metric: str


SCENARIOS = {
    "single-stream": Scenario(True, "latency", "90th percentile of latency"),
    "multi-stream": Scenario(True, "throughput", "99th percentile of latency"),
    "offline": Scenario(False, "throughput", "throughput"),
}


def configure(config: Config, scenario: str, streams: int | None, hint: str | None) -> Config:
    """What is to run. `streams` makes so many of the configuration's first one.

    Raises UsageError for an unknown scenario, or one that these streams don't fit.
    """
    if scenario not in SCENARIOS:
        raise UsageError(f"--scenario {scenario}: expected one of {', '.join(SCENARIOS)}")
    terms = SCENARIOS[scenario]
    chosen = dict(config.streams)
    if streams is not None:
        name, first = next(iter(chosen.items()))
        chosen = {name: first} if streams == 1 else {f"{name}-{i}": first for i in range(1, streams + 1)}
    if scenario == "single-stream" and len(chosen) != 1:
        raise UsageError(
            f"--scenario single-stream: expected one stream, found {len(chosen)}; "
            "try --streams 1 or --scenario multi-stream"
        )
    return replace(
        config,
        streams={name: _stream(stream, terms) for name, stream in chosen.items()},
        policy="live" if terms.is_live else "lossless",
        hint=hint or terms.hint,
        outputs=_ANY_FREE_PORT,
        frames=None,
        seconds=None,
    )


def _stream(stream: StreamConfig, terms: Scenario) -> StreamConfig:
    max_age_ms = stream.max_age_ms if terms.is_live else _OFFLINE_MAX_AGE_MS
    return replace(stream, pace=terms.is_live, loop=True, max_age_ms=max_age_ms)


def metric_of(report: Report) -> str:
    """The scenario's one number."""
    latencies = [stream.latency_ms for stream in report.streams.values()]
    name = SCENARIOS[report.subject.scenario].metric
    if report.subject.scenario == "single-stream":
        return f"{name} {max(latency.p90 for latency in latencies):.2f} ms"
    if report.subject.scenario == "multi-stream":
        return f"{name} {max(latency.p99 for latency in latencies):.2f} ms"
    return f"{name} {report.fps:.1f} frames/s"
