"""ZeroMQ: results, heartbeats and descriptions on an XPUB socket, for any number of subscribers."""

from __future__ import annotations

from collections.abc import Mapping

import zmq

from edge_engine.clock import NS_PER_S, monotonic_ns
from edge_engine.errors import ConfigError
from edge_engine.ledger import Counts
from edge_engine.outputs.output import Health
from edge_engine.outputs.rows import health_of, message_of
from edge_engine.result import Result
from edge_engine.state import StreamState
from edge_engine.wire import DescribeMessage, Message, encode

HEARTBEAT_NS = NS_PER_S // 2
# A subscriber that doesn't read gets no backlog: a few messages, then the newest are dropped for it alone.
_SEND_QUEUE = 8


class ZeroMqOutput:
    """Opened by the thread that starts the engine, used from then on by the publish thread alone."""

    def __init__(self, endpoint: str, descriptions: Mapping[str, DescribeMessage], session: str) -> None:
        """Raises ConfigError when the endpoint can't be bound."""
        # A context of its own: ending it waits until the endpoint is free to be bound again.
        self._context = zmq.Context()
        self._socket: zmq.Socket[bytes] = self._context.socket(zmq.XPUB)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.SNDHWM, _SEND_QUEUE)
        self._socket.setsockopt(zmq.XPUB_VERBOSE, 1)  # tells every subscription, not only each topic's first
        try:
            self._socket.bind(endpoint)
        except zmq.ZMQError as error:
            self.close()
            raise ConfigError(
                f"outputs.zeromq.endpoint: can't bind {endpoint}: {zmq.strerror(error.errno or 0)}; "
                "is another engine running, or is it no address of this machine?"
            ) from None
        self.endpoint: str = self._socket.getsockopt_string(zmq.LAST_ENDPOINT)
        self._descriptions = descriptions
        self._session = session
        self._next_beat_ns = 0
        self._told: dict[str, StreamState] = {}

    def publish(self, result: Result, counts: Counts) -> None:
        self._send(message_of(result, counts))

    def beat(self, health: Mapping[str, Health]) -> None:
        self._describe_to_newcomers()
        now_ns = monotonic_ns()
        is_due = now_ns >= self._next_beat_ns
        if is_due:
            self._next_beat_ns = now_ns + HEARTBEAT_NS
        for stream, of_stream in health.items():
            state = of_stream.status.state
            if is_due or self._told.get(stream) is not state:
                self._told[stream] = state
                self._send(health_of(stream, self._session, now_ns, of_stream))

    def _describe_to_newcomers(self) -> None:
        while self._socket.poll(0):
            wish = self._socket.recv()
            for description in self._descriptions.values():
                if wish[:1] == b"\1" and f"describe/{description.stream}\0".encode().startswith(wish[1:]):
                    self._send(description)

    def _send(self, message: Message) -> None:
        # XPUB never blocks: whoever is behind its queue's limit misses this message.
        self._socket.send(encode(message))

    def close(self) -> None:
        self._socket.close()
        self._context.term()
