"""edge-engine replay: the pipeline on a recording again, and whether it still says the same."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.markup import escape

from edge_engine import kernels
from edge_engine.cache import write_atomically
from edge_engine.cli.configuration import changed, recording
from edge_engine.cli.naming import ClassesOption, LabelsOption, ThresholdOption, naming
from edge_engine.cli.screen import make_screen, progress_bar
from edge_engine.errors import UsageError

_DRIFTED = 1


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
    if find_spec("mcap") is None:
        raise UsageError("replay: needs mcap, which isn't installed: pip install 'edge-engine[mcap]'")
    from edge_engine.replay.comparing import Tolerances
    from edge_engine.replay.page import page
    from edge_engine.replay.run import replay as run
    from edge_engine.replay.survey import config_of, survey
    from edge_engine.replay.text import text

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
        screen.print(text(report))
    if report.has_drifted:
        raise typer.Exit(_DRIFTED)


def _write(path: Path, text: str) -> None:
    try:
        write_atomically(path, text.encode())
    except OSError as error:
        raise UsageError(f"--html {path}: can't be written: {error.strerror}") from None
