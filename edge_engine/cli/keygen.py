"""edge-engine keygen: keys for an engine, and for each client that may listen to it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge_engine.errors import UsageError
from edge_engine.keys import make_client_keys, make_server_keys


def keygen(
    folder: Annotated[Path, typer.Argument(help="Where the engine's keys lie: `keys` in its configuration.")],
    client: Annotated[str | None, typer.Option(help="Make keys for a client of that name.")] = None,
) -> None:
    """Make the engine's keys, or with --client those of a client, which from then on may listen."""
    if client is None:
        public = make_server_keys(folder)
        typer.echo(
            f"the engine's: outputs: {{zeromq: {{keys: {folder}}}}}; every client needs a copy of {public}"
        )
        return
    if client == "server" or not client.replace("-", "").replace("_", "").isalnum():
        raise UsageError(
            f"--client {client!r}: expected a name of letters, digits, - and _, other than server"
        )
    secret = make_client_keys(folder, client)
    typer.echo(f"{client} may listen. It needs server.key and {secret}: move that there, with nobody looking")
