"""edge-engine models: what is in the zoo; edge-engine models pull: fetches more into it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from edge_engine import zoo
from edge_engine.cli.screen import make_screen, progress_bar
from edge_engine.zoo.catalogue import Record, catalogue_records
from edge_engine.zoo.pulled import pulled_path, pulled_records

_TIMEOUT_S = 30.0

models = typer.Typer(
    invoke_without_command=True,
    help="List the models that ship with the package or were pulled: licence, size, checksum.",
)


class Listed(msgspec.Struct, frozen=True):
    """A model as the list has it; `state`: bundled, pulled, or catalogue, which is yet to be pulled and has
    no `file`."""

    state: str
    file: str | None
    sha256: str
    bytes: int | None
    task: str
    licence: str
    source: str
    description: str


@models.callback()
def list_models(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, by model name.")] = False,
) -> None:
    if context.invoked_subcommand is not None:
        return
    listed = _listed()
    if as_json:
        typer.echo(msgspec.json.encode(listed))
        return
    table = Table(box=None, pad_edge=False)
    for title in ("model", "is", "task", "MB", "licence", "sha256", "what it is"):
        table.add_column(title, justify="right" if title == "MB" else "left", overflow="fold")
    for name, entry in listed.items():
        megabytes = "?" if entry.bytes is None else f"{entry.bytes / 1e6:.1f}"
        state = "to pull" if entry.state == "catalogue" else entry.state
        facts = (entry.task or "?", megabytes, entry.licence or "?", entry.sha256, entry.description)
        table.add_row(name, state, *facts)
    make_screen().print(table)


def _listed() -> dict[str, Listed]:
    bundled = {name: _listed_as("bundled", entry.path, entry) for name, entry in zoo.entries().items()}
    pulled = {
        name: _listed_as("pulled", pulled_path(name), record) for name, record in pulled_records().items()
    }
    to_pull = {name: _listed_as("catalogue", None, record) for name, record in catalogue_records().items()}
    return bundled | pulled | {name: listed for name, listed in to_pull.items() if name not in pulled}


def _listed_as(state: str, path: Path | None, entry: zoo.ZooEntry | Record) -> Listed:
    facts = (entry.sha256, entry.bytes, entry.task, entry.licence, entry.source, entry.description)
    return Listed(state, None if path is None else str(path), *facts)


@models.command()
def pull(
    model: Annotated[
        str,
        typer.Argument(
            metavar="NAME|URL",
            help="One of the catalogue, or an http, https or file address.",
            show_default=False,
        ),
    ],
    sha256: Annotated[
        str | None, typer.Option(metavar="HEX", help="The file's checksum; an address needs it.")
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="What to call it, if not by the catalogue's or file's name."),
    ] = None,
    timeout: Annotated[
        float, typer.Option(metavar="S", min=0.1, help="Give up when so long brings less than 64 kB.")
    ] = _TIMEOUT_S,
) -> None:
    """Fetch a model into the cache, verified; a download that was cut off goes on where it stopped."""
    from edge_engine.zoo.pull import pull as pull_model
    from edge_engine.zoo.pull import wanted

    screen = make_screen()
    called, record = wanted(model, sha256, name)
    with progress_bar(screen) as progress:
        bar = progress.add_task(called, total=record.bytes)

        def show(done: int, total: int | None) -> None:
            progress.update(bar, completed=done, total=total, description=f"{called}: {done / 1e6:.1f} MB")

        path, is_new = pull_model(called, record, timeout, show)
    how = "pulled" if is_new else "is here already"
    screen.print(f"{called}: {how}, {path.stat().st_size / 1e6:.1f} MB, sha256 {record.sha256}", markup=False)
    screen.print(f"edge-engine inspect {called}; edge-engine run --model {called}", markup=False)
