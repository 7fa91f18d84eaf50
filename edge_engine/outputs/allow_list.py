"""AllowList: the keys that are let in, as they lie in a folder now."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import zmq
from zmq.auth.thread import ThreadAuthenticator

from edge_engine.clock import NS_PER_MS, monotonic_ns
from edge_engine.errors import ConfigError
from edge_engine.keys import CLIENTS, CONTROLLERS, SERVER, key_pair, public_key
from edge_engine.outputs.reach import host_of, is_loopback, open_error

_log = logging.getLogger("edge_engine.keys")
_DOMAIN = "edge_engine"
_HANDSHAKE_MS = 2_000
_LOOK_NS = 200 * NS_PER_MS

LISTENERS = (CLIENTS, CONTROLLERS)
"""Who may control may listen as well."""


def allow_list(
    key: str, endpoint: str, keys: str | Path | None, roles: Sequence[str], *, insecure: bool
) -> AllowList | None:
    """Who is let in at an endpoint; None for everybody who reaches it. `key`: its place in the configuration.
    ConfigError where other machines could, and nobody has said that they may."""
    if keys is not None:
        return AllowList(Path(keys), roles)
    if insecure or is_private(endpoint):
        return None
    unless = "`insecure: true` where whoever is in this network may come in"
    raise open_error(key, endpoint, f"`keys`, a folder made by edge-engine keygen, or {unless}")


def is_private(endpoint: str) -> bool:
    """Whether only this machine's programs can reach it."""
    return not endpoint.startswith("tcp:") or is_loopback(host_of(endpoint.removeprefix("tcp://")))


def open_socket(
    context: zmq.Context[zmq.Socket[bytes]], kind: int, longest: int, allowed: AllowList | None
) -> zmq.Socket[bytes]:
    """For others to connect to, not bound yet: none of their messages is longer, no handshake for ever."""
    socket: zmq.Socket[bytes] = context.socket(kind)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.MAXMSGSIZE, longest)
    socket.setsockopt(zmq.HANDSHAKE_IVL, _HANDSHAKE_MS)
    if allowed is not None:
        allowed.protect(socket)
    return socket


class AllowList:
    """Asked by the authenticator's thread at each handshake, and by the one that has the socket; either may
    look anew, one at a time.
    """

    def __init__(self, folder: Path, roles: Sequence[str] = LISTENERS) -> None:
        """`roles`: the folders in it whose keys are meant. Raises ConfigError when the engine's own keys
        aren't there."""
        self._folder, self._roles = folder, roles
        self._own = key_pair(folder / f"{SERVER}.key_secret")
        self._looking = threading.Lock()
        self._files: dict[Path, tuple[int, int]] = {}
        self._allowed: Mapping[bytes, str] = {}
        self._allowed = self._let_in = self._read()
        self._looked_ns = monotonic_ns()

    def protect(self, socket: zmq.Socket[bytes]) -> None:
        """Before it is bound."""
        socket.curve_server = True
        socket.curve_publickey, socket.curve_secretkey = self._own
        socket.zap_domain = _DOMAIN.encode()

    def authenticator(self, context: zmq.Context[zmq.Socket[bytes]]) -> ThreadAuthenticator:
        """Started; `stop` it before the context ends."""
        authenticator = ThreadAuthenticator(context)
        authenticator.start()
        authenticator.configure_curve_callback(domain=_DOMAIN, credentials_provider=self)
        return authenticator

    def callback(self, domain: str, key: bytes) -> bool:
        """pyzmq's name: whether a client with this public key (Z85) may connect."""
        self._look()
        return key in self._allowed

    def name_of(self, key: bytes) -> str | None:
        """Whose key (Z85) that is, by its file; None once it is let in no more."""
        self._look()
        return self._allowed.get(key)

    def has_lost_one(self) -> bool:
        """Whether a key has gone since this was asked: a session that it has opened must end."""
        self._look()
        before, self._let_in = self._let_in, self._allowed
        return bool(before.keys() - self._let_in.keys())

    def _look(self) -> None:
        with self._looking:
            now_ns = monotonic_ns()
            if now_ns - self._looked_ns >= _LOOK_NS:
                self._looked_ns, self._allowed = now_ns, self._read()

    def _read(self) -> Mapping[bytes, str]:
        """Names by keys. A file that holds no key lets nobody in, and is told of."""
        found = (path for role in self._roles for path in sorted((self._folder / role).glob("*.key")))
        files = {path: _state(path) for path in found}
        if files == self._files:
            return self._allowed
        self._files, names = files, dict[bytes, str]()
        for path in files:
            try:
                names[public_key(path)] = path.stem
            except ConfigError as error:
                _log.warning("%s", error)
        return names


def _state(path: Path) -> tuple[int, int]:
    """Changes whenever the file does; of one that has gone meanwhile, nothing."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_ino
