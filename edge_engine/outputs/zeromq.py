"""ZeroMQ: results, heartbeats and descriptions on an XPUB socket, for any number of subscribers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
import zmq

from edge_engine.config import ZeroMqConfig
from edge_engine.errors import ConfigError
from edge_engine.ledger import Counts
from edge_engine.outputs.allow_list import LISTENERS, allow_list, open_socket
from edge_engine.outputs.clock_service import ClockService
from edge_engine.outputs.counted_rows import events_of
from edge_engine.outputs.heartbeats import Heartbeats
from edge_engine.outputs.output import Circumstances, Health, Output
from edge_engine.outputs.rows import message_of
from edge_engine.result import Result
from edge_engine.wire import DescribeMessage, Message, encode

# A subscriber that doesn't read gets no backlog: a few messages, then the newest are dropped for it alone.
# What lies in the system's buffer is as old when it is read, so that one is small too.
_SEND_QUEUE = 4
_BUFFER_BYTES = 16 * 1024
_LONGEST_WISH = 1024  # what subscribers send is the beginning of a topic


def open_output(config: ZeroMqConfig, circumstances: Circumstances) -> Output:
    """Raises ConfigError."""
    keys = Path(config.keys) if config.keys is not None else None
    return ZeroMqOutput(
        config.endpoint,
        circumstances.descriptions,
        circumstances.session,
        keys=keys,
        insecure=config.insecure,
    )


class ZeroMqOutput:
    """Opened by the thread that starts the engine, used from then on by the publish thread alone."""

    name, alarm = "zeromq", ""

    def __init__(
        self,
        endpoint: str,
        descriptions: Mapping[str, DescribeMessage],
        session: str,
        *,
        keys: Path | None = None,
        insecure: bool = False,
    ) -> None:
        """`descriptions` by stream; one that is replaced there later is sent to all. `keys`: the folder of
        those that may listen (keys.py). Raises ConfigError when the endpoint can't be bound, or is one that
        other machines reach and neither is given."""
        self._allowed = allow_list("outputs.zeromq.endpoint", endpoint, keys, LISTENERS, insecure=insecure)
        self.endpoint, self._clock_port = endpoint, 0
        self._open()
        self._descriptions = descriptions
        self._described = dict(descriptions)
        self._heartbeats = Heartbeats(session)

    def _open(self) -> None:
        # A context of its own: ending it waits until the endpoint is free to be bound again.
        self._context = zmq.Context()
        self._guard = self._allowed.authenticator(self._context) if self._allowed is not None else None
        self._socket = open_socket(self._context, zmq.XPUB, _LONGEST_WISH, self._allowed)
        self._socket.setsockopt(zmq.SNDHWM, _SEND_QUEUE)
        self._socket.setsockopt(zmq.SNDBUF, _BUFFER_BYTES)
        self._socket.setsockopt(zmq.XPUB_VERBOSE, 1)  # tells every subscription, not only each topic's first
        try:
            self._socket.bind(self.endpoint)
            self.endpoint = self._socket.getsockopt_string(zmq.LAST_ENDPOINT)
            if self.endpoint.startswith("tcp:"):
                self._clock_port = ClockService(
                    self._context, self.endpoint, self._clock_port, self._allowed
                ).port
        except zmq.ZMQError as error:
            self.close()
            raise ConfigError(
                f"outputs.zeromq.endpoint: can't bind {self.endpoint}: {zmq.strerror(error.errno or 0)}; "
                "is another engine running, or is it no address of this machine?"
            ) from None

    def publish(self, result: Result, counts: Counts) -> None:
        message = message_of(result, counts)
        self._send(message)
        if message.events:
            self._send(events_of(message))

    def beat(self, health: Mapping[str, Health]) -> None:
        if self._allowed is not None and self._allowed.has_lost_one():
            # ZeroMQ asks for a key but once, so all connections end; who is still allowed is soon back.
            self.close()
            self._open()
        self._describe_to_newcomers()
        self._describe_changes()
        for message in self._heartbeats.due(health):
            self._send(message)

    def _describe_to_newcomers(self) -> None:
        while self._socket.poll(0):
            wish = self._socket.recv()
            for description in self._descriptions.values():
                if wish[:1] == b"\1" and f"describe/{description.stream}\0".encode().startswith(wish[1:]):
                    self._describe(description)

    def _describe_changes(self) -> None:
        for stream, description in self._descriptions.items():
            if description is not self._described[stream]:
                self._described[stream] = description
                self._describe(description)

    def _describe(self, description: DescribeMessage) -> None:
        self._send(msgspec.structs.replace(description, clock_port=self._clock_port))

    def _send(self, message: Message) -> None:
        # XPUB never blocks: whoever is behind its queue's limit misses this message.
        self._socket.send(encode(message))

    def close(self) -> None:
        self._socket.close()
        if self._guard is not None:
            self._guard.stop()
        self._context.term()
