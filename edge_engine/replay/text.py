"""Text: a replay's report for a terminal."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from edge_engine.replay.report import FrameDrift, ReplayReport

_MOST_SAID = 3


def text(report: ReplayReport) -> RenderableType:
    lines = [escape(line) for line in _facts(report)]
    if report.has_drifted is None:
        return Group(*lines)
    worst = (escape(_said(drift)) for drift in report.worst)
    return Group(
        *lines, _table(report), *worst, "drifted" if report.has_drifted else "says what was recorded"
    )


def _facts(report: ReplayReport) -> list[str]:
    frames = sum(each.frames for each in report.streams.values())
    fps = frames / report.seconds if report.seconds else 0.0
    lines = [f"replayed {frames} frames with {report.model} on {report.provider}, {fps:.1f} a second"]
    if report.broken_at is not None:
        lines.append(f"the recording was cut off or is damaged at byte {report.broken_at}: the rest is lost")
    for name, each in report.streams.items():
        lines.append(f"{name}: answers sha256 {each.answers_sha256}")
        if each.recorded_model not in ("", report.model):
            lines.append(f"{name}: was recorded with {each.recorded_model}")
    return lines


def _table(report: ReplayReport) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in (
        "stream",
        "frames",
        "compared",
        "no recorded result",
        "no result now",
        "drifted",
        "in what",
    ):
        table.add_column(title, justify="left" if title in {"stream", "in what"} else "right")
    for name, each in report.streams.items():
        counts = (each.frames, each.compared, each.unrecorded, each.unanswered, each.drifted)
        kinds = ", ".join(f"{count} {kind}" for kind, count in each.kinds.items()) or "nothing"
        table.add_row(name, *map(str, counts), kinds)
    return table


def _said(drift: FrameDrift) -> str:
    more = f" and {len(drift.what) - _MOST_SAID} more" if len(drift.what) > _MOST_SAID else ""
    return f"{drift.stream} frame {drift.seq}: {'; '.join(drift.what[:_MOST_SAID])}{more}"
