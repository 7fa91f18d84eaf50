"""Summary of a run, as wire.summary has it, from what the engine counts."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from edge_engine.clock import NS_PER_S
from edge_engine.histogram import Histogram
from edge_engine.stages.record import StreamRecord
from edge_engine.wire import LatencySummary, StageSummary, StreamSummary
from edge_engine.wire import Summary as Summary


class StageActivity(msgspec.Struct, frozen=True):
    """All threads of one stage together, since the start. Waits are counted when they end.

    `cpu_ns` leaves out threads that the inference runtime starts.
    """

    threads: int
    cpu_ns: int
    waited_for_input_ns: int
    waited_for_room_ns: int


def summarise(streams: Mapping[str, StreamRecord], model: str, provider: str, seconds: float) -> Summary:
    return Summary(
        {name: _summarise_stream(record) for name, record in streams.items()},
        model,
        provider,
        round(seconds, 3),
    )


def _summarise_stream(record: StreamRecord) -> StreamSummary:
    counts = record.ledger.counts()
    return StreamSummary(
        counts.captured,
        counts.published,
        counts.in_flight,
        counts.dropped,
        round(_fps(record, counts.published), 2),
        _latency(record.latency),
        {stage: _stage(histogram) for stage, histogram in record.stages.items()},
        record.ledger.reasons(),
        record.status.now.state.value,
        record.status.now.reason,
        record.status.now.reconnects,
        record.status.missed,
        record.status.is_paused,
    )


def _fps(record: StreamRecord, published: int) -> float:
    """Results per second between the first and the last one."""
    seconds = (record.last_published_ns - record.first_published_ns) / NS_PER_S
    return (published - 1) / seconds if seconds > 0 else 0.0


def _latency(histogram: Histogram) -> LatencySummary:
    percentiles = histogram.percentiles()
    return LatencySummary(percentiles.p50, percentiles.p90, percentiles.p99, percentiles.max)


def _stage(histogram: Histogram) -> StageSummary:
    percentiles = histogram.percentiles()
    return StageSummary(percentiles.p50, percentiles.p99)
