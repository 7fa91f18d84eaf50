"""edge-engine models: what is in the zoo."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer
from rich.table import Table

from edge_engine import zoo
from edge_engine.cli.screen import make_screen


def models(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, by model name.")] = False,
) -> None:
    """List the models that ship with the package: licence, size, checksum."""
    entries = zoo.entries()
    if as_json:
        typer.echo(msgspec.json.encode(entries))
        return
    table = Table(box=None, pad_edge=False)
    for title in ("model", "task", "MB", "licence", "sha256", "what it is"):
        table.add_column(title, justify="right" if title == "MB" else "left", overflow="fold")
    for name, entry in entries.items():
        megabytes = f"{entry.bytes / 1e6:.1f}"
        table.add_row(name, entry.task, megabytes, entry.licence, entry.sha256, entry.description)
    make_screen().print(table)
