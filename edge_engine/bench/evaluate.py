"""Evaluate: what was seen of a run → the report."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_engine.bench.machine import describe_machine
from edge_engine.bench.measure import Arrival, Run
from edge_engine.bench.report import Alone, Percentiles, Receipt, Report, Sample, Stage, Stream, Subject
from edge_engine.bench.subject import Snapshot
from edge_engine.clock import NS_PER_S, to_ms
from edge_engine.config import Config
from edge_engine.histogram import BUCKETS, percentile_ms
from edge_engine.processor import cores
from edge_engine.stages.record import STAGES

Buckets = NDArray[np.int64]

# A stage this busy is the one that all others wait for.
_BUSY = 0.85
_ALL_CORES = 0.93


def evaluate(run: Run, config: Config, scenario: str, input_size: tuple[int, int], alone: Alone) -> Report:
    """The report on a run's measured time."""
    before, after = run.snapshots[run.first], run.snapshots[-1]
    elapsed_ns = after.at_ns - before.at_ns
    published = sum(after.streams[name].published - before.streams[name].published for name in after.streams)
    fps = published * NS_PER_S / elapsed_ns
    limit_fps = cores() * 1000 / sum(alone.cpu_ms.values())
    stages = {name: _stage(name, before, after, published) for name in STAGES}
    cpu_ms = to_ms(after.cpu_ns - before.cpu_ns)
    conditions = run.conditions[run.first :]
    throttles = [condition.throttles for condition in conditions if condition.throttles is not None]
    return Report(
        created_utc=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        machine=describe_machine(),
        subject=_subject(run, config, scenario, input_size),
        seconds=elapsed_ns / NS_PER_S,
        fps=fps,
        limit_fps=limit_fps,
        efficiency=fps / limit_fps,
        bottleneck=bottleneck(stages, cpu_ms / to_ms(elapsed_ns) / cores()),
        start_up_s=(min(s.first_published_ns for s in after.streams.values()) - run.spawned_ns) / NS_PER_S,
        stages=stages,
        other_cpu_ms=cpu_ms / max(1, published) - sum(stage.cpu_ms for stage in stages.values()),
        alone=alone,
        streams={name: _stream(name, before, after) for name in after.streams},
        receipt=_receipt(run.arrivals, before.at_ns, after.at_ns),
        cpu_percent=100 * cpu_ms / to_ms(elapsed_ns) / cores(),
        rss_mb=max(snapshot.rss_bytes for snapshot in run.snapshots[run.first :]) / 1e6,
        frame_bytes=after.frame_bytes,
        frame_allocations=_difference(before.large_blocks, after.large_blocks),
        throttled=bool(throttles[-1] > throttles[0] or throttles[-1] == 1) if throttles else None,
        samples=[_sample(run, index) for index in range(run.first + 1, len(run.snapshots))],
    )


def _subject(run: Run, config: Config, scenario: str, input_size: tuple[int, int]) -> Subject:
    what = run.introduction
    return Subject(
        scenario=scenario,
        hint=config.hint,
        policy=config.policy,
        sources={name: stream.source for name, stream in config.streams.items()},
        model=what.model,
        sha256=hashlib.sha256(Path(what.path).read_bytes()).hexdigest(),
        setting=what.setting,
        input_size=input_size,
    )


def _stage(name: str, before: Snapshot, after: Snapshot, published: int) -> Stage:
    old, new = before.activity[name], after.activity[name]
    elapsed_ns = new.threads * (after.at_ns - before.at_ns)
    room_ns = min(new.waited_for_room_ns - old.waited_for_room_ns, elapsed_ns)
    if name == "capture":  # a camera is waited for inside its own library
        working_ns = sum(s.capture_work_ns for s in after.streams.values())
        working_ns -= sum(s.capture_work_ns for s in before.streams.values())
        input_ns = max(0, elapsed_ns - room_ns - working_ns)
    else:
        input_ns = min(new.waited_for_input_ns - old.waited_for_input_ns, elapsed_ns - room_ns)
    pairs = [(before.streams[s].stages[name], after.streams[s].stages[name]) for s in after.streams]
    return Stage(
        wall_ms=_percentiles(sum((_buckets(new_) - _buckets(old_) for old_, new_ in pairs), _buckets({}))),
        cpu_ms=to_ms(new.cpu_ns - old.cpu_ns) / max(1, published),
        input=input_ns / elapsed_ns,
        working=(elapsed_ns - input_ns - room_ns) / elapsed_ns,
        room=room_ns / elapsed_ns,
    )


def bottleneck(stages: Mapping[str, Stage], cpu_share: float) -> str:
    """What keeps the pipeline from going faster, in one line. `cpu_share`: of all cores, 0 to 1."""
    busiest = max(stages, key=lambda name: stages[name].working)
    costliest = max(stages, key=lambda name: stages[name].cpu_ms)
    spent = sum(stage.cpu_ms for stage in stages.values())
    if cpu_share >= _ALL_CORES:
        share = stages[costliest].cpu_ms / spent
        return f"the cores: all are busy, {share:.0%} of it with {costliest}"
    if stages[busiest].working >= _BUSY:
        return f"{busiest}: its threads work {stages[busiest].working:.0%} of the time"
    if stages["capture"].input >= max(stages["capture"].room, 1 - _BUSY):
        return f"the source: the busiest stage, {busiest}, works {stages[busiest].working:.0%} of the time"
    return f"none stands out: {busiest} works {stages[busiest].working:.0%} of the time"


def _stream(name: str, before: Snapshot, after: Snapshot) -> Stream:
    old, new = before.streams[name], after.streams[name]
    published = new.published - old.published
    dropped = {cause: n - old.dropped.get(cause, 0) for cause, n in new.dropped.items()}
    return Stream(
        captured=new.captured - old.captured,
        published=published,
        dropped={cause: n for cause, n in dropped.items() if n},
        fps=published * NS_PER_S / (after.at_ns - before.at_ns),
        latency_ms=_percentiles(_buckets(new.latency) - _buckets(old.latency)),
    )


def _sample(run: Run, index: int) -> Sample:
    before, after = run.snapshots[index - 1], run.snapshots[index]
    elapsed_ns = after.at_ns - before.at_ns
    published = sum(after.streams[name].published - before.streams[name].published for name in after.streams)
    latency = _latency(after) - _latency(before)
    return Sample(
        second=(after.at_ns - run.snapshots[run.first].at_ns) / NS_PER_S,
        fps=published * NS_PER_S / elapsed_ns,
        latency_p50_ms=percentile_ms(latency, 0.5),
        latency_p99_ms=percentile_ms(latency, 0.99),
        cpu_ms_per_frame=to_ms(after.cpu_ns - before.cpu_ns) / max(1, published),
        rss_mb=after.rss_bytes / 1e6,
        temperature_c=run.conditions[index].temperature_c,
        clock_mhz=run.conditions[index].clock_mhz,
    )


def _latency(snapshot: Snapshot) -> Buckets:
    return sum((_buckets(stream.latency) for stream in snapshot.streams.values()), _buckets({}))


def _receipt(arrivals: Sequence[Arrival], from_ns: int, until_ns: int) -> Receipt | None:
    measured = [arrival for arrival in arrivals if from_ns <= arrival.received_ns < until_ns]
    if len(measured) < 2:
        return None
    latency_ms = [to_ms(arrival.received_ns - arrival.captured_ns) for arrival in measured]
    peaks_ms: list[float] = []
    weighted = 0.0
    lasted_ms = 0.0
    for stream in {arrival.stream for arrival in measured}:
        of_stream = [arrival for arrival in measured if arrival.stream == stream]
        mean_ms, peaks = age_of_information(of_stream)
        span_ms = to_ms(of_stream[-1].received_ns - of_stream[0].received_ns)
        weighted += mean_ms * span_ms
        lasted_ms += span_ms
        peaks_ms += peaks
    mean_ms = weighted / lasted_ms if lasted_ms else 0.0
    return Receipt(len(measured), _percentiles_of(latency_ms), mean_ms, _percentiles_of(peaks_ms))


def age_of_information(arrivals: Sequence[Arrival]) -> tuple[float, list[float]]:
    """Of one stream's results in the order of receipt: the age's mean over time, and its peaks, in ms.

    The newest result's age grows with time and falls when a newer one comes; the area under it, a row of
    trapezoids, divided by the time is its mean (Kaul, Yates, Gruteser: Real-time status, INFOCOM 2012).
    """
    area, peaks_ms = 0.0, []
    for one, following in pairwise(arrivals):
        lowest_ms = to_ms(one.received_ns - one.captured_ns)
        peak_ms = to_ms(following.received_ns - one.captured_ns)
        area += (peak_ms - lowest_ms) * (peak_ms + lowest_ms) / 2
        peaks_ms.append(peak_ms)
    lasted_ms = to_ms(arrivals[-1].received_ns - arrivals[0].received_ns)
    return (area / lasted_ms if lasted_ms else 0.0), peaks_ms


def _percentiles_of(values_ms: Sequence[float]) -> Percentiles:
    if not values_ms:
        return Percentiles(0.0, 0.0, 0.0, 0.0)
    return Percentiles(*(float(value) for value in np.percentile(values_ms, [50, 90, 99, 99.9])))


def _percentiles(counts: Buckets) -> Percentiles:
    return Percentiles(*(percentile_ms(counts, share) for share in (0.5, 0.9, 0.99, 0.999)))


def _buckets(filled: Mapping[int, int]) -> Buckets:
    counts = np.zeros(BUCKETS, np.int64)
    counts[list(filled)] = list(filled.values())
    return counts


def _difference(before: int | None, after: int | None) -> int | None:
    return None if before is None or after is None else after - before
