"""Connection: a subscriber's socket, which keeps little, notices a publisher's end and knocks again."""

from __future__ import annotations

from contextlib import suppress

import zmq

from edge_engine.client.credentials import Credentials, protect
from edge_engine.clock import NS_PER_S, monotonic_ns

# What waits grows old: a few messages, in the queue and in the system's own buffer behind it. ZeroMQ's
# CONFLATE would keep the last message alone, which may be another stream's, or a heartbeat.
RECEIVE_QUEUE = 16
_BUFFER_BYTES = 64 * 1024
_LONGEST_MESSAGE = 2**24
# A machine that has lost its power closes nothing. ZeroMQ's own heartbeats abort the process of a subscriber
# that is slow and connects anew (libzmq's issue 3937).
_KEEPALIVE = {
    zmq.TCP_KEEPALIVE: 1,
    zmq.TCP_KEEPALIVE_IDLE: 2,
    zmq.TCP_KEEPALIVE_INTVL: 1,
    zmq.TCP_KEEPALIVE_CNT: 3,
}
_REFUSED_AFTER_NS = 2 * NS_PER_S


class Connection:
    """To one publisher; `stream` None takes all its streams. Raises ZMQError for an endpoint that is none."""

    def __init__(self, endpoint: str, stream: str | None, credentials: Credentials | None) -> None:
        self._endpoint = endpoint
        self._credentials = credentials
        self._socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.SUB)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.RCVHWM, RECEIVE_QUEUE)
        self._socket.setsockopt(zmq.RCVBUF, _BUFFER_BYTES)
        self._socket.setsockopt(zmq.MAXMSGSIZE, _LONGEST_MESSAGE)
        for option, value in _KEEPALIVE.items():
            self._socket.setsockopt(option, value)
        protect(self._socket, credentials)
        for kind in ("result", "event", "health", "describe"):
            self._socket.subscribe(f"{kind}/" if stream is None else f"{kind}/{stream}\0")
        try:
            self._socket.connect(endpoint)
        except zmq.ZMQError:
            self._socket.close()
            raise
        self._heard_ns = monotonic_ns()

    def waits(self, within_ms: int = 0) -> bool:
        """Whether there is a message, now or within that time."""
        return bool(self._socket.poll(within_ms))

    def receive(self) -> bytes:
        self._heard_ns = monotonic_ns()
        return self._socket.recv()

    def knock_again(self) -> None:
        """An engine that has refused a key is never asked again by ZeroMQ itself; it may be allowed now."""
        if self._credentials is None or monotonic_ns() - self._heard_ns < _REFUSED_AFTER_NS:
            return
        self._heard_ns = monotonic_ns()
        with suppress(zmq.ZMQError):  # it is connected no more
            self._socket.disconnect(self._endpoint)
        self._socket.connect(self._endpoint)

    def close(self) -> None:
        self._socket.close()
