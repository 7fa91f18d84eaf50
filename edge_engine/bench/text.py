"""Text: a report and a comparison for a terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from edge_engine.bench.compare import Comparison
from edge_engine.bench.report import Percentiles, Report, Sample, Subject
from edge_engine.bench.scenario import metric_of

_LONG_RUN_S = 180
_MINUTE_S = 60


def report_text(report: Report) -> RenderableType:
    lines = [*headline(report), *facts(report)]
    return Group(*(escape(line) for line in lines), "", _stages(report), *_streams(report))


def headline(report: Report) -> list[str]:
    """What most people look for."""
    subject, machine = report.subject, report.machine
    return [
        f"{subject.scenario}: {metric_of(report)}",
        (
            f"{subject.model}{_input(subject)} (sha256 {subject.sha256[:12]}) on {subject.setting}; "
            f"hint {subject.hint}"
        ),
        f"{machine.processor}, {machine.cores} cores, {machine.system}, Python {machine.python}",
        (
            f"{report.fps:.1f} fps over {report.seconds:.0f} s; the cores' limit is {report.limit_fps:.1f}, "
            f"efficiency {report.efficiency:.3f}"
        ),
        f"bottleneck: {report.bottleneck}",
    ]


def _input(subject: Subject) -> str:
    return f" at {subject.input_size[0]}x{subject.input_size[1]}" if subject.input_size else ""


def facts(report: Report) -> list[str]:
    """Everything else that is one number."""
    alone = ", ".join(f"{stage} {ms:.2f}" for stage, ms in report.alone.cpu_ms.items())
    found = [
        (
            f"alone, CPU ms per frame: {alone}; inference on all cores at once runs at "
            f"{report.alone.scaling:.3f} of its speed alone"
        ),
        (
            f"CPU {report.cpu_percent:.0f} % of all cores, memory {report.rss_mb:.0f} MB, "
            f"first result {report.start_up_s:.2f} s after the start"
        ),
        f"allocations of {report.frame_bytes // 1024} kB and more: "
        + (
            "not counted on this system"
            if report.frame_allocations is None
            else str(report.frame_allocations)
        )
        # A decoder's buffer for packets has a slack of 256 kB, and grows with the largest packet so far.
        + (" (a file needs a whole pass as its warm-up: --warmup)" if report.frame_allocations else ""),
    ]
    if report.receipt is not None:
        receipt = report.receipt
        found.append(
            f"at a subscriber: capture to receipt {_shown(receipt.latency_ms)} ms; age of information "
            f"{receipt.age_mean_ms:.1f} ms on average, at its peaks {_shown(receipt.age_peak_ms)} ms"
        )
    found.append(_condition(report))
    return found + _first_and_last_minute(report)


def _condition(report: Report) -> str:
    hottest = max((s.temperature_c for s in report.samples if s.temperature_c is not None), default=None)
    clocks = [s.clock_mhz for s in report.samples if s.clock_mhz is not None]
    throttled = {None: "unknown", True: "yes", False: "no"}[report.throttled]
    heat = "unknown" if hottest is None else f"up to {hottest:.0f} °C"
    clock = f"{min(clocks):.0f} to {max(clocks):.0f} MHz" if clocks else "unknown"
    return f"temperature {heat}, clock {clock}, throttled: {throttled}"


def _first_and_last_minute(report: Report) -> list[str]:
    """For long runs: whether they end as they began."""
    if report.seconds < _LONG_RUN_S:
        return []
    first = [s for s in report.samples if s.second <= _MINUTE_S]
    last = [s for s in report.samples if s.second > report.seconds - _MINUTE_S]
    return [
        (
            f"first minute → last: {_mean(s.fps for s in first):.1f} → {_mean(s.fps for s in last):.1f} fps, "
            f"latency p99 {_mean(s.latency_p99_ms for s in first):.1f} → "
            f"{_mean(s.latency_p99_ms for s in last):.1f} ms, "
            f"memory {_megabytes(first)} → {_megabytes(last)} MB"
        )
    ]


def _megabytes(samples: list[Sample]) -> str:
    return f"{_mean(sample.rss_mb for sample in samples):.0f}"


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found)


def _shown(percentiles: Percentiles) -> str:
    return f"p50 {percentiles.p50:.1f}, p90 {percentiles.p90:.1f}, p99 {percentiles.p99:.1f}"


def _stages(report: Report) -> Table:
    columns = ("wall ms p50", "p90", "p99", "p99.9", "CPU ms", "waits for input", "works", "waits for room")
    table = _table("stage", columns)
    for name, stage in report.stages.items():
        wall = (
            f"{ms:.2f}"
            for ms in (stage.wall_ms.p50, stage.wall_ms.p90, stage.wall_ms.p99, stage.wall_ms.p999)
        )
        shares = (f"{share:.0%}" for share in (stage.input, stage.working, stage.room))
        table.add_row(name, *wall, f"{stage.cpu_ms:.2f}", *shares)
    table.add_row("other threads", *("",) * 4, f"{report.other_cpu_ms:.2f}")
    return table


def _streams(report: Report) -> list[RenderableType]:
    table = _table(
        "stream", ("captured", "published", "frames/s", "latency ms p50", "p90", "p99", "p99.9", "dropped")
    )
    for name, stream in report.streams.items():
        latency = stream.latency_ms
        shown = (f"{ms:.1f}" for ms in (latency.p50, latency.p90, latency.p99, latency.p999))
        dropped = ", ".join(f"{n} {cause}" for cause, n in stream.dropped.items()) or "none"
        table.add_row(
            escape(name), str(stream.captured), str(stream.published), f"{stream.fps:.1f}", *shown, dropped
        )
    return ["", table]


def comparison_text(comparison: Comparison) -> RenderableType:
    table = _table("", ("A", "B", "B ÷ A", "95 % of resamplings"))
    for ratio in comparison.ratios:
        spread = f"{ratio.low:.3f} to {ratio.high:.3f}" if ratio.low != ratio.high else ""
        table.add_row(ratio.what, f"{ratio.a:.2f}", f"{ratio.b:.2f}", f"{ratio.ratio:.3f}", spread)
    notes = [escape(f"not the same: {difference}") for difference in comparison.differences]
    return Group(table, *notes)


def _table(first: str, columns: tuple[str, ...]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column(first)
    for column in columns:
        table.add_column(column, justify="right")
    return table
