"""edge-engine replay: the pipeline on a recording again, and whether it still says the same."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from edge_engine import kernels
from edge_engine.cache import write_atomically
from edge_engine.cli.configuration import changed, recording
from edge_engine.cli.naming import ClassesOption, LabelsOption, ThresholdOption, naming
from edge_engine.cli.screen import make_screen, progress_bar
from edge_engine.errors import UsageError
from edge_engine.replay.report import ReplayReport

_DRIFTED = 1
_MOST_SAID = 3


def replay(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A recording of edge-engine record.")],
    model: Annotated[str | None, typer.Option(help="Another model than the recorded one.")] = None,
    stream: Annotated[str | None, typer.Option(help="Only this stream.")] = None,
    labels: LabelsOption = None,
    classes: ClassesOption = None,
    threshold: ThresholdOption = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Record the replay in this file.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Compare with the recorded results; exit 1 if they drifted.")
    ] = False,
    tolerance_iou: Annotated[
        float, typer.Option(min=0, max=1, help="So much must boxes and masks overlap.")
    ] = 0.9,
    tolerance_score: Annotated[
        float, typer.Option(min=0, max=1, help="So far may scores be apart, of objects and tags.")
    ] = 0.05,
    tolerance_share: Annotated[
        float, typer.Option(min=0, max=1, help="And shares of a segmentation's classes.")
    ] = 0.02,
    tolerance_keypoint: Annotated[
        float, typer.Option(min=0, help="And keypoints, in parts of their box's diagonal.")
    ] = 0.05,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --check: the worst frames, before and now.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object with all numbers.")] = False,
) -> None:
    """Recognise what was recorded again: the same frames, each of them, the same answers every time."""
    from edge_engine.replay.comparing import Tolerances
    from edge_engine.replay.page import page
    from edge_engine.replay.run import replay as run
    from edge_engine.replay.survey import config_of, survey

    if html is not None and not check:
        raise UsageError("--html: shows what drifted; expected --check beside it")
    screen = make_screen(stderr=as_json)
    found = survey(file, stream)
    config = naming(labels, classes, threshold).applied_in(changed(config_of(found), model=model))
    if out is not None:
        if out.resolve() == file.resolve():
            raise UsageError(f"--out {out}: is the recording itself; name another file")
        config = recording(config, out)
    tolerances = Tolerances(
        iou=tolerance_iou, score=tolerance_score, share=tolerance_share, keypoint=tolerance_keypoint
    )
    kernels.warm_up(lambda: screen.print("compiling kernels, this once …"))
    with progress_bar(screen) as progress:
        bar = progress.add_task(
            escape(str(file)), total=sum(len(each.seqs) for each in found.streams.values())
        )
        done = run(config, found, tolerances if check else None, lambda: progress.advance(bar))
    report = done.report
    if html is not None:
        _write(html, page(done, found))
    if as_json:
        typer.echo(msgspec.json.encode(report))
    else:
        _show(report, screen)
    if report.has_drifted:
        raise typer.Exit(_DRIFTED)


def _write(path: Path, text: str) -> None:
    try:
        write_atomically(path, text.encode())
    except OSError as error:
        raise UsageError(f"--html {path}: can't be written: {error.strerror}") from None


def _show(report: ReplayReport, screen: Console) -> None:
    frames = sum(each.frames for each in report.streams.values())
    fps = frames / report.seconds if report.seconds else 0.0
    screen.print(
        escape(f"replayed {frames} frames with {report.model} on {report.provider}, {fps:.1f} a second")
    )
    if report.broken_at is not None:
        screen.print(
            f"the recording was cut off or is damaged at byte {report.broken_at}: what follows is lost"
        )
    for name, each in report.streams.items():
        screen.print(escape(f"{name}: answers sha256 {each.answers_sha256}"))
        if each.recorded_model not in ("", report.model):
            screen.print(escape(f"{name}: was recorded with {each.recorded_model}"))
    if report.has_drifted is None:
        return
    screen.print(_table(report))
    for drift in report.worst:
        more = f" and {len(drift.what) - _MOST_SAID} more" if len(drift.what) > _MOST_SAID else ""
        said = "; ".join(drift.what[:_MOST_SAID])
        screen.print(escape(f"{drift.stream} frame {drift.seq}: {said}{more}"))
    screen.print("drifted" if report.has_drifted else "says what was recorded")


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
