"""edge-engine quantize: a float model made INT8 with one's own pictures, and the proof of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.markup import escape

from edge_engine import kernels
from edge_engine.cache import write_atomically
from edge_engine.cli.screen import make_screen, progress_bar
from edge_engine.errors import UsageError
from edge_engine.zoo import find_model

_LAYERS_SHOWN = 6


def quantize(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The float ONNX file.", show_default=False)],
    calibrate: Annotated[
        str,
        typer.Option(
            metavar="VIDEO|FOLDER|CONFIG",
            help="Pictures of what the model will see: half calibrate, the others judge.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Default: MODEL-int8.onnx beside the model.")
    ] = None,
    target: Annotated[str, typer.Option(help="x86, arm or tensorrt.")] = "x86",
    min_agreement: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="With the float model; below it nothing is written.")
    ] = 0.97,
    pictures: Annotated[int, typer.Option(min=4, max=2000, help="At most so many, evenly spread.")] = 128,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object with all numbers.")] = False,
) -> None:
    """Make a float model INT8, without harm: proved on pictures that it was not calibrated with."""
    from edge_engine.quantization.formats import TARGETS
    from edge_engine.quantization.page import page
    from edge_engine.quantization.quantize import quantize as make
    from edge_engine.quantization.text import summary

    screen = make_screen(stderr=as_json)
    known = next((name for name in TARGETS if name == target), None)
    if known is None:
        raise UsageError(f"--target {target}: unknown; expected {', '.join(TARGETS)}")
    path = find_model(model)
    written = out or path.with_name(f"{path.stem}-int8.onnx")
    _expect_writable(path, written)
    kernels.warm_up(lambda: screen.print("compiling kernels, this once …"))
    with progress_bar(screen) as progress:
        bar = progress.add_task("")

        def show(step: str, done: int, total: int) -> None:
            progress.update(bar, description=escape(step), completed=done, total=total or None)

        made = make(path, calibrate, written, target=known, floor=min_agreement, most=pictures, on_step=show)
    shown = written.with_suffix(".html")
    try:
        write_atomically(shown, page(made).encode())
        write_atomically(written, made.data)
    except OSError as error:
        raise UsageError(f"{written}: can't be written: {error.strerror}") from None
    if as_json:
        typer.echo(msgspec.json.encode(made.report))
        return
    for line in summary(made.report):
        screen.print(escape(line))
    for layer in made.report.layers[:_LAYERS_SHOWN]:
        how = "stays in float" if layer.is_float else "INT8"
        screen.print(escape(f"harm {layer.harm:.3f} alone: {layer.name} ({layer.operator}), {how}"))
    screen.print(escape(f"written: {written}, report {shown}"))


def _expect_writable(path: Path, out: Path) -> None:
    if out.resolve() == path.resolve():
        raise UsageError(f"--out {out}: is the model itself; name another file")
    if not out.parent.is_dir():
        raise UsageError(f"--out {out}: no such folder {out.parent}")
