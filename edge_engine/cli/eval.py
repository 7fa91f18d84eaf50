"""edge-engine eval: how right a model is, on labelled pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.markup import escape

from edge_engine import kernels
from edge_engine.cli.naming import ClassesOption, LabelsOption, naming
from edge_engine.cli.screen import make_screen, progress_bar
from edge_engine.evaluation.datasets import open_dataset
from edge_engine.evaluation.evaluate import evaluate as judge
from edge_engine.evaluation.text import report_text
from edge_engine.models.model import Model
from edge_engine.models.providers import Setting
from edge_engine.processor import cores
from edge_engine.zoo import find_model


def evaluate(
    model: Annotated[
        str,
        typer.Argument(metavar="MODEL", help="A zoo model's name, or an ONNX file.", show_default=False),
    ],
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA",
            help="COCO's .json; YOLO's data.yaml or its folder; a .csv of tags; a folder with images/ "
            "and masks/, or with a folder per class.",
            show_default=False,
        ),
    ],
    images: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where a COCO file's pictures are, if not beside it.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="So many pictures, evenly spread.")] = None,
    provider: Annotated[str, typer.Option(help="Only this one; auto takes the best that loads.")] = "auto",
    labels: LabelsOption = None,
    classes: ClassesOption = None,
    threshold: Annotated[
        str | None,
        typer.Option(
            metavar="0.4|A=0.5,B=0.3",
            help="Where tags and masks begin; average precision and the first five need none.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object with all numbers.")] = False,
) -> None:
    """Measure how right a model is, on labelled pictures: the same numbers as the reference tools."""
    screen = make_screen(stderr=as_json)
    said = naming(labels, classes, threshold)
    dataset = open_dataset(data, images)
    path = find_model(model)
    kernels.warm_up(lambda: screen.print("compiling kernels, this once …"))
    loaded = Model(path, Setting(provider=provider, workers=cores()), labels=said.labels)
    spec = said.applied_to(loaded.spec)
    with progress_bar(screen) as progress:
        bar = progress.add_task(escape(loaded.spec.name))

        def show(done: int, total: int) -> None:
            progress.update(bar, completed=done, total=total, description=f"picture {done} of {total}")

        report = judge(loaded, dataset, limit, show, spec)
    if as_json:
        typer.echo(msgspec.json.encode(report))
    else:
        screen.print(report_text(report))
