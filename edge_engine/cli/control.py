"""edge-engine control: tell a running engine what to do, and ask how it is doing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import msgspec
import typer

from edge_engine.cli.naming import share
from edge_engine.client.controller import DEFAULT_CONTROL_ENDPOINT, Controller
from edge_engine.errors import UsageError
from edge_engine.wire import StreamSummary

control = typer.Typer(no_args_is_help=True, help="Tell a running engine what to do.")
Stream: TypeAlias = Annotated[str, typer.Argument(help="The stream's name.")]


@control.callback()
def _connect(
    context: typer.Context,
    endpoint: Annotated[
        str, typer.Argument(help=f"The engine's control.endpoint, such as {DEFAULT_CONTROL_ENDPOINT}.")
    ],
    server_key: Annotated[Path | None, typer.Option(help="An engine with keys: its server.key.")] = None,
    client_key: Annotated[Path | None, typer.Option(help="And this controller's NAME.key_secret.")] = None,
    timeout: Annotated[float, typer.Option(min=0.1, help="Give up after so many seconds (exit 3).")] = 5.0,
) -> None:
    context.obj = Controller(endpoint, server_key=server_key, client_key=client_key, timeout_s=timeout)


@control.command()
def pause(context: typer.Context, stream: Stream) -> None:
    """Recognise nothing in it until resume; its camera is read on."""
    _of(context).pause(stream)


@control.command()
def resume(context: typer.Context, stream: Stream) -> None:
    """Go on with it."""
    _of(context).resume(stream)


@control.command()
def threshold(
    context: typer.Context,
    stream: Stream,
    score: Annotated[float | None, typer.Argument(min=0, max=1, help="For all labels, 0..1.")] = None,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", metavar="NAME=SCORE", help="For one label; may be repeated."),
    ] = None,
) -> None:
    """Publish what scores so much; a score for all sets aside those of single labels from before."""
    _of(context).set_thresholds(stream, score, dict(map(_label, label or ())))


def _label(text: str) -> tuple[str, float]:
    name, _, number = text.rpartition("=")
    if not name:
        raise UsageError(f"--label {text!r}: expected a label and its score, such as person=0.5")
    return name.strip(), share("--label", text, number)


@control.command()
def classes(
    context: typer.Context,
    stream: Stream,
    names: Annotated[str, typer.Argument(metavar="A,B|all", help="Labels, by name or number.")],
) -> None:
    """Publish only these classes, or all."""
    wanted = [] if names == "all" else [name.strip() for name in names.split(",")]
    _of(context).set_classes(stream, wanted)


@control.command()
def model(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="As model or standby_models in the configuration has it.")],
) -> None:
    """Use another of the models that are loaded."""
    _of(context).use_model(name)


@control.command()
def snapshot(
    context: typer.Context,
    stream: Stream,
    output: Annotated[Path, typer.Option("-o", "--output", help="The JPEG's file.")],
    longest_side: Annotated[
        int | None, typer.Option(min=16, max=16_384, help="Make it smaller, in pixels.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print its stamps and its result as JSON.")] = False,
) -> None:
    """Save the newest picture."""
    taken = _of(context).snapshot(stream, longest_side)
    try:
        output.write_bytes(taken.jpeg)
    except OSError as error:
        raise UsageError(f"-o {output}: can't be written: {error.strerror}") from None
    if as_json:
        told = {name: value for name, value in msgspec.structs.asdict(taken).items() if name != "jpeg"}
        typer.echo(msgspec.json.encode(told))
    else:
        seen = ", ".join(row.label for row in taken.result.objects) if taken.result is not None else ""
        typer.echo(
            f"{output}: {stream} #{taken.seq}, {len(taken.jpeg)} bytes" + (f"; {seen}" if seen else "")
        )


@control.command()
def statistics(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, as of run --json.")] = False,
) -> None:
    """How it is doing."""
    found = _of(context).statistics()
    if as_json:
        typer.echo(msgspec.json.encode(found))
        return
    typer.echo(f"{found.model} on {found.provider}, for {found.seconds:.0f} s")
    for name, stream in found.streams.items():
        typer.echo(f"{name}: {_line(stream)}")


def _line(stream: StreamSummary) -> str:
    dropped = "".join(f", {count} {cause}" for cause, count in stream.dropped.items())
    state = "paused" if stream.paused else stream.state
    return (
        f"{state}, {stream.fps:.1f} fps, {stream.latency_ms.p50:.1f} ms (p50), "
        f"{stream.captured} captured, {stream.published} published{dropped}"
    )


def _of(context: typer.Context) -> Controller:
    assert isinstance(context.obj, Controller)
    return context.obj
