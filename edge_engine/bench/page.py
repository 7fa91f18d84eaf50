"""Page: a report as one self-contained HTML file with plots."""

from __future__ import annotations

from html import escape

from edge_engine.bench.plots import lines, stacked_bars
from edge_engine.bench.report import Report
from edge_engine.bench.text import facts, headline

_STYLE = """
:root { color-scheme: light dark }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1340px; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.4rem }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(480px, 1fr)); gap: 1.5rem }
svg { width: 100% } svg .bold { font-weight: 600 }
svg text { font: 12px system-ui, sans-serif; fill: currentColor }
svg .grid { stroke: currentColor; opacity: .15; fill: none }
table { border-collapse: collapse; margin: 1rem 0 } td, th { padding: .2rem .8rem; text-align: right }
td:first-child, th:first-child { text-align: left } th { font-weight: 600; border-bottom: 1px solid }
"""


def page(report: Report) -> str:
    title = f"edge_engine {report.subject.scenario}: {report.fps:.1f} frames/s"
    told = "".join(f"<li>{escape(line)}</li>" for line in [*headline(report), *facts(report)])
    versions = ", ".join(f"{name} {version}" for name, version in report.machine.versions.items())
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>'
        f"<h1>{escape(title)}</h1><p>{escape(report.created_utc)}</p><ul>{told}</ul>"
        f'<div class="plots">{"".join(_plots(report))}</div>{_stages(report)}{_streams(report)}'
        f"<p>{escape(versions)}</p></body></html>\n"
    )


def _plots(report: Report) -> list[str]:
    samples = report.samples
    plots = [
        stacked_bars(
            "What each stage was doing",
            {
                name: {"waits for input": stage.input, "works": stage.working, "waits for room": stage.room}
                for name, stage in report.stages.items()
            },
            "{:.0%}",
        ),
        stacked_bars(
            "CPU ms per frame, in the run and alone",
            {
                "in the run": {name: stage.cpu_ms for name, stage in report.stages.items()},
                "alone": report.alone.cpu_ms,
            },
        ),
        lines("Frames per second", "1/s", {"fps": [(s.second, s.fps) for s in samples]}),
        lines(
            "Latency, capture to sending",
            "ms",
            {
                "p50": [(s.second, s.latency_p50_ms) for s in samples],
                "p99": [(s.second, s.latency_p99_ms) for s in samples],
            },
        ),
        lines("Memory", "MB", {"rss": [(s.second, s.rss_mb) for s in samples]}),
    ]
    heat = [(s.second, s.temperature_c) for s in samples if s.temperature_c is not None]
    clock = [(s.second, s.clock_mhz) for s in samples if s.clock_mhz is not None]
    if heat:
        plots.append(lines("Temperature", "°C", {"hottest": heat}))
    if clock:
        plots.append(lines("Clock, mean of the cores", "MHz", {"clock": clock}))
    return plots


def _stages(report: Report) -> str:
    rows = [["stage", "wall ms p50", "p90", "p99", "p99.9", "CPU ms", "alone"]]
    for name, stage in report.stages.items():
        wall = stage.wall_ms
        numbers = (wall.p50, wall.p90, wall.p99, wall.p999, stage.cpu_ms, report.alone.cpu_ms[name])
        rows.append([name, *(f"{number:.2f}" for number in numbers)])
    return _table(rows)


def _streams(report: Report) -> str:
    rows = [
        ["stream", "captured", "published", "frames/s", "latency ms p50", "p90", "p99", "p99.9", "dropped"]
    ]
    for name, stream in report.streams.items():
        latency = stream.latency_ms
        dropped = ", ".join(f"{n} {cause}" for cause, n in stream.dropped.items()) or "none"
        numbers = (stream.fps, latency.p50, latency.p90, latency.p99, latency.p999)
        counts = [str(stream.captured), str(stream.published)]
        rows.append([name, *counts, *(f"{number:.1f}" for number in numbers), dropped])
    return _table(rows)


def _table(rows: list[list[str]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in rows[0])
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows[1:])
    return f"<table><tr>{head}</tr>{body}</table>"
