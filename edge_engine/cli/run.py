"""edge-engine run: the engine on one configuration or one source, with a live status line."""

from __future__ import annotations

import math
import signal
import threading
import time
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.markup import escape

from edge_engine import kernels
from edge_engine.cli.configuration import changed, config_of, publishing
from edge_engine.cli.naming import ClassesOption, LabelsOption, ThresholdOption, naming
from edge_engine.cli.screen import make_screen, told_if_slow
from edge_engine.cli.status import StatusLine, changes_of_state, print_summary
from edge_engine.config import Config, TrackingConfig
from edge_engine.engine import Engine
from edge_engine.errors import SourceError
from edge_engine.outputs.zeromq import ZeroMqOutput

_REFRESH_S = 0.25
_LOADING = "loading the model; TensorRT builds an engine for this device, for minutes, and keeps it …"


def run(
    what: Annotated[
        str,
        typer.Argument(metavar="CONFIG|SOURCE", help="A .yaml file, a video, a folder, a camera (0), test:"),
    ],
    model: Annotated[str | None, typer.Option(help="A zoo model's name, or an ONNX file.")] = None,
    frames: Annotated[
        int | None, typer.Option(min=1, help="End after so many frames of each stream.")
    ] = None,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="End after so many seconds.")] = None,
    policy: Annotated[str | None, typer.Option(help="live (newest wins) or lossless.")] = None,
    hint: Annotated[str | None, typer.Option(help="auto, latency or throughput.")] = None,
    labels: LabelsOption = None,
    classes: ClassesOption = None,
    threshold: ThresholdOption = None,
    track: Annotated[bool, typer.Option("--track", help="Give objects ids that they keep.")] = False,
    publish: Annotated[str | None, typer.Option(help="ZeroMQ endpoint to publish on.")] = None,
    trim: Annotated[
        bool | None, typer.Option("--trim/--no-trim", help="Leave the letterbox's padding out, or not.")
    ] = None,
    fast: Annotated[bool, typer.Option("--fast", help="Files: as fast as possible, not paced.")] = False,
    loop: Annotated[bool, typer.Option("--loop", help="Files: start again at the end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON summary as the last line.")] = False,
) -> None:
    """Recognise, and publish results over ZeroMQ; Ctrl-C ends it with a summary."""
    config = config_of(what)
    if publish is not None:
        config = publishing(config, publish)
    paces = {"pace": False if fast else None, "loop": loop or None}
    streams = {name: changed(stream, **paces) for name, stream in config.streams.items()}
    config = changed(
        config,
        streams=streams,
        model=model,
        frames=frames,
        seconds=seconds,
        policy=policy,
        hint=hint,
        trim=trim,
        tracking=TrackingConfig() if track and config.tracking is None else None,
    )
    config = naming(labels, classes, threshold).applied_in(config)
    # With --json, stdout belongs to the program that reads it.
    run_engine(config, make_screen(stderr=as_json), as_json)


def run_engine(config: Config, screen: Console, as_json: bool) -> None:
    """Until it ends or is ended, with a status line and a summary."""
    kernels.warm_up(lambda: screen.print("compiling kernels, this once …"))
    with told_if_slow(screen, _LOADING):
        engine = Engine(config, collect=False)
    stop = _stop_on_signals()  # only now: a start that is broken off needs no summary
    with changes_of_state(screen, of_several=len(config.streams) > 1):
        try:
            engine.start()
            _watch(engine, screen, stop)
        except SourceError:
            if not engine.has_captured():
                raise  # there is nothing to sum up
        finally:
            engine.stop()
    summary = engine.summary()
    print_summary(summary, screen)
    if as_json:
        typer.echo(msgspec.json.encode(summary))
    if not stop.is_set():
        engine.wait(0)  # raises what a stream died of, if one did while others went on


def _stop_on_signals() -> threading.Event:
    """An event that Ctrl-C and SIGTERM set."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _introduce(engine: Engine, screen: Console) -> None:
    opened = {name: record.status.now.description for name, record in engine.streams.items()}
    names = ", ".join(f"{name} ({what or 'not open yet'})" for name, what in opened.items())
    screen.print(escape(f"recognising {names}"))
    screen.print(
        f"with {engine.model.spec.name} on {engine.model.setting}, {engine.config.policy}{_advice(engine)}"
    )
    if engine.model.repairs:
        screen.print(escape(f"its graph was repaired: {'; '.join(engine.model.repairs)}"))
    screen.print(escape(_trimming(engine)))
    for output in engine.outputs:
        if isinstance(output, ZeroMqOutput):
            screen.print(
                f"publishing on {output.endpoint}; see it with: edge-engine listen {output.endpoint}"
            )
    if engine.control is not None:
        screen.print(f"controlled on {engine.control.endpoint}; with: edge-engine control")
    if engine.config.outputs.mcap is not None:
        screen.print(escape(f"recording in {engine.config.outputs.mcap.path}"))
    if engine.config.outputs.websocket is not None:
        from edge_engine.outputs.websocket import WebSocketOutput  # its package is an extra

        (page,) = (output.endpoint for output in engine.outputs if isinstance(output, WebSocketOutput))
        screen.print(f"to be seen in a browser: http://{page}")


def _trimming(engine: Engine) -> str:
    """At which sizes the model runs, and why some of its padding may stay."""
    forms = {(form.spec.input.width, form.spec.input.height) for form in engine.models.made()}
    sizes = " and ".join(f"{width}x{height}" for width, height in sorted(forms))
    kept = "; ".join(engine.models.kept.values())
    return f"its input is {sizes}" + (f"; {kept}" if kept else "")


def _advice(engine: Engine) -> str:
    """What `hint: auto` went by."""
    if engine.config.hint != "auto":
        return ""
    return f" (tuned for {engine.plan.goal})" if engine.plan.is_tuned else " (untuned: edge-engine tune)"


def _watch(engine: Engine, screen: Console, stop: threading.Event) -> None:
    """Until the streams end, the time is up or a signal comes; raises what a stage dies of."""
    is_introduced = False
    deadline_s = time.monotonic() + (engine.config.seconds or math.inf)
    with StatusLine(engine, screen) as status:
        while not stop.is_set():
            left_s = deadline_s - time.monotonic()
            is_over = left_s <= 0 or engine.wait(min(_REFRESH_S, left_s))
            if not is_introduced and engine.has_captured():
                is_introduced = True
                _introduce(engine, screen)
            status.refresh()
            if is_over:
                break
