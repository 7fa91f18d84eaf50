"""Credentials: the keys with which a client and an engine know each other."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import zmq

from edge_engine.errors import ConfigError
from edge_engine.keys import KeyPair, key_pair, public_key


class Credentials(NamedTuple):
    """`server`: the engine's public key; `own`: this client's pair."""

    server: bytes
    own: KeyPair


def protect(socket: zmq.Socket[bytes], keys: Credentials | None) -> None:
    """Before it connects; to an engine without keys, None, nothing need be done."""
    if keys is not None:
        socket.curve_serverkey, (socket.curve_publickey, socket.curve_secretkey) = keys


def credentials(server_key: str | Path | None, client_key: str | Path | None) -> Credentials | None:
    """From their files; None without any. Raises ConfigError for one alone, and for a file without."""
    if server_key is None and client_key is None:
        return None
    if server_key is None or client_key is None:
        raise ConfigError("a client needs both, server_key and client_key, or none")
    return Credentials(public_key(Path(server_key)), key_pair(Path(client_key)))
