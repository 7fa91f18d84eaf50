"""ClockService: tells clients on other machines what time it is by this one's monotonic clock."""

from __future__ import annotations

import threading

import zmq

from edge_engine.clock import clock_id, monotonic_ns
from edge_engine.outputs.allow_list import AllowList, open_socket
from edge_engine.wire import ClockReply, ClockRequest, WireError, decode_clock, encode_clock

_LONGEST_REQUEST = 1024  # a handshake with keys takes half of that


class ClockService:
    """Answers in a thread of its own, since an answer that waits is an answer that nobody can use. Ends when
    its context does.
    """

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        endpoint: str,
        port: int = 0,
        allowed: AllowList | None = None,
    ) -> None:
        """Beside the publisher's `endpoint`, at that port of the same address; 0 takes a free one. Raises
        zmq.ZMQError."""
        self._socket = open_socket(context, zmq.ROUTER, _LONGEST_REQUEST, allowed)
        try:
            self._socket.bind(f"{endpoint.rpartition(':')[0]}:{port or '*'}")
        except zmq.ZMQError:
            self._socket.close()
            raise
        self.port = int(self._socket.getsockopt_string(zmq.LAST_ENDPOINT).rpartition(":")[2])
        self._clock = clock_id()
        threading.Thread(target=self._run, name="clock", daemon=True).start()

    def _run(self) -> None:
        try:
            while True:
                self._socket.poll()
                received_ns = monotonic_ns()
                self._answer(self._socket.recv_multipart(), received_ns)
        except zmq.ContextTerminated:
            self._socket.close()

    def _answer(self, frames: list[bytes], received_ns: int) -> None:
        """Whoever asks for something else gets nothing."""
        try:
            asked = decode_clock(frames[-1], ClockRequest)
        except WireError:
            return
        reply = ClockReply(
            asked_ns=asked.sent_ns, received_ns=received_ns, answered_ns=monotonic_ns(), clock=self._clock
        )
        self._socket.send_multipart([*frames[:-1], encode_clock(reply)])
