"""The command line: one file per command. Exit codes are those of edge_engine.errors."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from edge_engine import __version__
from edge_engine.cli.bench import bench
from edge_engine.cli.control import control
from edge_engine.cli.doctor import doctor
from edge_engine.cli.eval import evaluate
from edge_engine.cli.inspect import inspect
from edge_engine.cli.keygen import keygen
from edge_engine.cli.listen import listen
from edge_engine.cli.models import models
from edge_engine.cli.quantize import quantize
from edge_engine.cli.record import record
from edge_engine.cli.replay import replay
from edge_engine.cli.run import run
from edge_engine.cli.sources import sources
from edge_engine.cli.tune import tune
from edge_engine.errors import EdgeEngineError
from edge_engine.yaml.source import shown

_LONGEST_ERROR = 1000

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Real-time video recognition for edge devices: camera in, fresh detections out over ZeroMQ.",
    epilog="Exit codes: 0 done or stopped by a signal; 1 replay --check found drift, or an engine at fault; "
    "2 bad usage, configuration or model, or refused; "
    "3 the source could not be opened or was lost; 4 no usable inference provider.",
)
app.command()(run)
app.command()(listen)
app.add_typer(control, name="control")
app.command()(record)
app.command()(replay)
app.add_typer(models, name="models")
app.command()(sources)
app.command()(inspect)
app.command()(bench)
app.command()(tune)
app.command("eval")(evaluate)
app.command()(quantize)
app.command()(doctor)
app.command()(keygen)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"edge-engine {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """The options before a command's name."""


def main() -> None:
    """What `edge-engine` and `python -m edge_engine` call."""
    try:
        app()
    except EdgeEngineError as error:
        # What a model or a file holds may stand in it: no line ends, no control characters.
        typer.echo(f"edge-engine: {shown(str(error), _LONGEST_ERROR)}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # The reader of our output has left (`edge-engine listen | head`): nothing more to say to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
