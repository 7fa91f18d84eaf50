"""Keys: who may listen, who may control, and to whom one listens. CURVE's pairs (ZeroMQ's RFC 26), in
pyzmq's own files:

keys/                    the engine's: `outputs: {zeromq: {keys: keys}}`
  server.key             its public key; each client needs a copy
  server.key_secret      stays here
  clients/rover.key      may listen; to delete it shuts rover out, within a second
  controllers/desk.key   may listen, and tell the engine what to do: `control: {keys: keys}`
  rover.key_secret       goes to rover, with a copy of server.key, and then from here
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import zmq
import zmq.auth

from edge_engine.errors import ConfigError, one_line

SERVER = "server"
CLIENTS = "clients"
CONTROLLERS = "controllers"


class KeyPair(NamedTuple):
    public: bytes
    secret: bytes


def make_server_keys(folder: Path) -> Path:
    """The public key's file. Raises ConfigError; what is there stays."""
    _make_folder(folder / CLIENTS)
    return _make_pair(folder, SERVER)


def make_client_keys(folder: Path, name: str, role: str = CLIENTS) -> Path:
    """The secret key's file; the public one lies among those of that role. Raises ConfigError."""
    if not (folder / f"{SERVER}.key").is_file():
        raise ConfigError(
            f"{folder}: no {SERVER}.key; make the engine's own keys first: edge-engine keygen {folder}"
        )
    public, allowed = folder / f"{name}.key", folder / role / f"{name}.key"
    for known in (folder / each / f"{name}.key" for each in (CLIENTS, CONTROLLERS)):
        if known.exists():
            raise ConfigError(f"{known}: is there already; delete it first to make new keys for {name}")
    _make_folder(folder / role)
    _make_pair(folder, name)
    public.rename(allowed)
    return folder / f"{name}.key_secret"


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{folder}: can't be made: {error.strerror}") from None


def _make_pair(folder: Path, name: str) -> Path:
    public, secret = folder / f"{name}.key", folder / f"{name}.key_secret"
    for path in (public, secret):
        if path.exists():
            raise ConfigError(f"{path}: is there already, and is kept; delete it first to make new keys")
    mask = os.umask(0o077)  # so that a secret is nobody else's to read at any moment
    try:
        zmq.auth.create_certificates(folder, name)
    except OSError as error:
        raise ConfigError(f"{folder}: keys can't be written there: {error.strerror}") from None
    finally:
        os.umask(mask)
    public.chmod(0o644)
    return public


def public_key(path: Path) -> bytes:
    """Of either file of a pair. Raises ConfigError."""
    return _load(path)[0]


def key_pair(path: Path) -> KeyPair:
    """From the file with the secret. Raises ConfigError."""
    public, secret = _load(path)
    if secret is None:
        raise ConfigError(f"{path}: holds no secret key; expected a file *.key_secret of edge-engine keygen")
    return KeyPair(public, secret)


def _load(path: Path) -> tuple[bytes, bytes | None]:
    try:
        return zmq.auth.load_certificate(path)
    except OSError as error:
        raise ConfigError(
            f"{path}: can't be read: {one_line(error)}; edge-engine keygen makes keys"
        ) from None
    except ValueError:
        raise ConfigError(f"{path}: holds no key; expected a file of edge-engine keygen") from None
