"""A controller's own socket, for what a Controller would never send."""

from __future__ import annotations

import itertools
from types import TracebackType

import zmq

from edge_engine.client.credentials import credentials, protect
from edge_engine.wire import Command, ControlReply, ControlRequest, WireError, decode_reply, encode_control
from tests.control.running import PATIENCE_S, RunningEngine


class Session:
    """Opened once, with that client's keys, and kept."""

    def __init__(self, engine: RunningEngine, name: str | None = "desk") -> None:
        self.socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        if engine.keys is not None and name is not None:
            found = credentials(engine.keys / "server.key", engine.secret(name))
            assert found is not None
            protect(self.socket, found)
        self.socket.connect(engine.control)
        self._ids = itertools.count(2**40)  # no others that a test sends are as high

    def ask(self, command: Command, timeout_s: float = PATIENCE_S) -> ControlReply | None:
        """None without an answer."""
        number = next(self._ids)
        self.socket.send(encode_control(ControlRequest(id=number, command=command)))
        while self.socket.poll(int(timeout_s * 1000)):
            try:
                reply = decode_reply(self.socket.recv())
            except WireError:
                continue
            if reply.id == number:
                return reply
        return None

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()
