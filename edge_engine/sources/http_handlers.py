"""What urllib lacks for cameras: sockets that can be ended from outside, and Digest with SHA-256."""

from __future__ import annotations

import hashlib
import http.client
import socket
import ssl
import urllib.request
from collections.abc import Callable
from typing import Any

# What may wait in the system's buffer grows old there: some pictures, not seconds of them.
_SOCKET_BYTES = 256 * 1024

Note = Callable[[socket.socket], None]


class Http(urllib.request.HTTPHandler):
    def __init__(self, note: Note) -> None:
        super().__init__()
        self._kind = _noted(http.client.HTTPConnection, note)

    def http_open(self, request: urllib.request.Request) -> Any:  # noqa: ANN401 - as urllib has it
        return self.do_open(self._kind, request)


class Https(urllib.request.HTTPSHandler):
    def __init__(self, note: Note, context: ssl.SSLContext) -> None:
        super().__init__(context=context)
        self._tls = context
        self._kind = _noted(http.client.HTTPSConnection, note)

    def https_open(self, request: urllib.request.Request) -> Any:  # noqa: ANN401 - as urllib has it
        return self.do_open(self._kind, request, context=self._tls)


class Digest(urllib.request.HTTPDigestAuthHandler):
    """With SHA-256 too (RFC 7616), which Python knows from 3.14 on, and cameras ask for."""

    def get_algorithm_impls(self, algorithm: str) -> Any:  # noqa: ANN401 - as urllib has it
        if algorithm != "SHA-256":
            return super().get_algorithm_impls(algorithm)

        def hashed(text: str) -> str:
            return hashlib.sha256(text.encode()).hexdigest()

        return hashed, lambda secret, data: hashed(f"{secret}:{data}")


def _noted(kind: type[http.client.HTTPConnection], note: Note) -> Any:  # noqa: ANN401 - a class made here
    """The same, which tells of its socket: that alone can end a call that waits."""

    class Noted(kind):  # type: ignore[misc, valid-type]
        def connect(self) -> None:
            super().connect()
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SOCKET_BYTES)
            note(self.sock)

    return Noted
