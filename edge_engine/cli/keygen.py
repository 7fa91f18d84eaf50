"""edge-engine keygen: keys for an engine, and for each client that may listen to it, or control it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge_engine.errors import UsageError
from edge_engine.keys import CLIENTS, CONTROLLERS, SERVER, make_client_keys, make_server_keys


def keygen(
    folder: Annotated[Path, typer.Argument(help="Where the engine's keys lie: `keys` in its configuration.")],
    client: Annotated[str | None, typer.Option(help="Make keys for a client of that name.")] = None,
    controller: Annotated[str | None, typer.Option(help="And for one that may also control it.")] = None,
) -> None:
    """Make the engine's keys, or those of a client, which from then on may listen, or of a controller."""
    for name, role in ((client, CLIENTS), (controller, CONTROLLERS)):
        if name is not None:
            _make(folder, name, role)
    if client is None and controller is None:
        public = make_server_keys(folder)
        typer.echo(
            f"the engine's: outputs: {{zeromq: {{keys: {folder}}}}}; every client needs a copy of {public}"
        )


def _make(folder: Path, name: str, role: str) -> None:
    if name == SERVER or not name.replace("-", "").replace("_", "").isalnum():
        raise UsageError(
            f"--{role.removesuffix('s')} {name!r}: expected a name of letters, digits, - and _, other than "
            f"{SERVER}"
        )
    secret, may = make_client_keys(folder, name, role), "listen" if role == CLIENTS else "listen and control"
    typer.echo(f"{name} may {may}. It needs server.key and {secret}: move that there, with nobody looking")
