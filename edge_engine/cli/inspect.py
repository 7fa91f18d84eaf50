"""edge-engine inspect: what a model file is, how that is known, and whether it works."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from edge_engine import kernels
from edge_engine.cli.naming import ClassesOption, LabelsOption, ThresholdOption, naming
from edge_engine.cli.screen import make_screen, progress_bar
from edge_engine.inspection.report import Inspection, Trial
from edge_engine.models.spec import InputSpec, ModelSpec
from edge_engine.zoo import find_model

_LABELS_SHOWN = 8


def inspect(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="An ONNX file, or a zoo model's name.")],
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Try it on this one, not on the bundled pictures.")
    ] = None,
    labels: LabelsOption = None,
    classes: ClassesOption = None,
    threshold: ThresholdOption = None,
    write: Annotated[
        bool, typer.Option("--write", help="Store what it is, as it works best, in the file's metadata.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Say what a model is and where each fact comes from, and try it on pictures with known content."""
    from edge_engine.inspection.inspect import bundled_images, inspect_model, read_image, write_best

    screen = make_screen(stderr=as_json)
    said = naming(labels, classes, threshold)
    path = find_model(model)
    images = bundled_images() if picture is None else [read_image(picture)]
    kernels.warm_up(lambda: screen.print("compiling kernels, this once …"))
    with progress_bar(screen) as progress:
        bar = progress.add_task("", total=None)

        def show(step: str) -> None:
            progress.update(bar, description=escape(step))

        found = inspect_model(path, images, show, said.labels, said.applied_to)
    if as_json:
        typer.echo(msgspec.json.encode(found))
    else:
        _print(found, screen)
    if write:
        write_best(path, found)
        screen.print(escape(f"written into {path}: {found.trials[found.best].reading}"))


def _print(found: Inspection, screen: Console) -> None:
    spec, graph = found.spec, found.graph
    screen.print(escape(f"{found.file}: {spec.task}, family {spec.family}"), style="bold")
    gmacs = f", {graph.gmacs:.2f} GMACs" if graph.gmacs is not None else ""
    made = f", made by {graph.producer}" if graph.producer else ""
    screen.print(
        escape(
            f"{found.bytes / 1e6:.1f} MB, sha256 {found.sha256[:12]}, {graph.parameters / 1e6:.2f} million "
            f"parameters{gmacs}, {graph.nodes} nodes, opset {graph.opset}{made}"
        )
    )
    screen.print(_facts(found))
    for name, state in found.providers.items():
        screen.print(escape(f"provider {name}: {state}"))
    for change in found.repairs:
        screen.print(escape(f"repair: {change}"))
    screen.print("")
    _print_trials(found, screen)


def _facts(found: Inspection) -> Table:
    spec, picture = found.spec, found.spec.input
    table = Table(box=None, pad_edge=False)
    for title in ("fact", "value", "from"):
        table.add_column(title, overflow="fold")
    labels = ", ".join(spec.labels[:_LABELS_SHOWN])
    more = f", … {len(spec.labels)} in all" if len(spec.labels) > _LABELS_SHOWN else ""
    rows = (
        ("family", "family", spec.family),
        ("input", "input.width", f"{picture.width}x{picture.height} {picture.dtype} {picture.layout}"),
        ("colour", "input.colour", picture.colour),
        ("pixels", "input.mean", _normalisation(picture)),
        ("letterbox", "input.letterbox", f"{picture.letterbox}, pad {picture.pad}"),
        ("labels", "labels", labels + more),
        ("thresholds", "score_threshold", f"score {spec.score_threshold:g}, overlap {spec.iou_threshold:g}"),
        *_asked(spec),
    )
    for title, name, value in rows:
        table.add_row(title, escape(value), found.origins[name])
    return table


def _asked(spec: ModelSpec) -> tuple[tuple[str, str, str], ...]:
    """What is asked for of single classes, where it is."""
    limits = ", ".join(f"{name} {limit:g}" for name, limit in spec.label_thresholds.items())
    rows = (("of labels", "label_thresholds", limits), ("classes", "classes", ", ".join(spec.classes)))
    return tuple(row for row in rows if row[2])


def _normalisation(picture: InputSpec) -> str:
    mean, std = (" ".join(f"{value:g}" for value in values) for values in (picture.mean, picture.std))
    return f"(pixel − {mean}) ÷ {std}"


def _print_trials(found: Inspection, screen: Console) -> None:
    for trial in found.trials:
        screen.print(escape(f"self-test, {trial.reading}: score {trial.score:.2f}; {_seen(trial)}"))
    own, best = found.trials[0], found.trials[found.best]
    if found.best:
        how = f"{best.input.colour}, {_normalisation(best.input)}"
        screen.print(
            escape(f"works best as {best.reading} ({how}); --write stores that"), style="bold yellow"
        )
    elif own.score == 0:
        screen.print("finds nothing under any reading", style="bold red")


def _seen(trial: Trial) -> str:
    return "; ".join(f"{sight.picture}: {', '.join(sight.found) or 'nothing'}" for sight in trial.sights)
