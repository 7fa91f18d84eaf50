"""WebSocket: the messages that ZeroMQ has, for browsers, and a page that shows them.

One message of the wire is one binary message. A client may ask for the time in the same way (ClockRequest);
who says anything else is not answered. http://HOST:PORT/ is the page.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from edge_engine.clock import clock_id, monotonic_ns
from edge_engine.config import WebSocketConfig
from edge_engine.errors import ConfigError, one_line
from edge_engine.ledger import Counts
from edge_engine.outputs.doorkeeper import Doorkeeper
from edge_engine.outputs.heartbeats import Heartbeats
from edge_engine.outputs.output import Circumstances, Health, Output
from edge_engine.outputs.reach import host_of, is_loopback, open_error
from edge_engine.outputs.rows import message_of
from edge_engine.result import Result
from edge_engine.wire import (
    ClockReply,
    ClockRequest,
    DescribeMessage,
    Message,
    WireError,
    decode_clock,
    encode,
    encode_clock,
    topic_of,
)

_log = logging.getLogger("edge_engine.outputs")
# What strangers do wrong at the door is their fault, and no line of ours.
_unheard = logging.getLogger("edge_engine.outputs.websocket.strangers")
_unheard.setLevel(logging.CRITICAL)

_MOST_CLIENTS = 64
_LONGEST_REQUEST = 1024
_REQUEST_EVERY_S = 0.005  # at most, of each client
_OPEN_S = 2.0
_BUFFER_BYTES = 16 * 1024
_CLOSE_S = 1.0


def open_output(config: WebSocketConfig, circumstances: Circumstances) -> Output:
    """Raises ConfigError."""
    return WebSocketOutput(
        config.endpoint,
        circumstances.descriptions,
        circumstances.session,
        origins=config.origins,
        insecure=config.insecure,
    )


class Viewer:
    """What one client hasn't got yet: of each topic the newest message, so that whoever is slow misses some
    and gets no backlog. The loop's thread alone uses it."""

    def __init__(self) -> None:
        self._waiting: dict[str, bytes] = {}
        self._has_some = asyncio.Event()

    def offer(self, topic: str, message: bytes) -> None:
        self._waiting[topic] = message
        self._has_some.set()

    async def next(self) -> bytes:
        """Of the topic that has waited longest."""
        await self._has_some.wait()
        message = self._waiting.pop(next(iter(self._waiting)))
        if not self._waiting:
            self._has_some.clear()
        return message


class WebSocketOutput:
    """The publish thread leaves the newest message of each topic; an event loop in a thread of its own takes
    them to the clients. A lock guards what lies between the two."""

    name = "websocket"

    def __init__(
        self,
        endpoint: str,
        descriptions: Mapping[str, DescribeMessage],
        session: str,
        *,
        origins: Collection[str] = (),
        insecure: bool = False,
    ) -> None:
        """`endpoint`: HOST:PORT. `descriptions` by stream, of which each client is told, also when one is
        replaced there. `origins`: web sites, such as http://robot.local, whose pages may read what
        is sent, beside the engine's own. Raises ConfigError when it can't be bound, or is one that other
        machines reach and not `insecure`."""
        if not (insecure or is_loopback(host_of(endpoint))):
            cure = "`insecure: true` where whoever is in this network may watch"
            raise open_error("outputs.websocket.endpoint", endpoint, cure)
        self._listener = _listen(endpoint)
        self.endpoint = f"{host_of(endpoint)}:{self._listener.getsockname()[1]}"
        self.alarm = ""
        self._door = Doorkeeper(origins)
        self._descriptions, self._described = descriptions, dict(descriptions)
        self._heartbeats = Heartbeats(session)
        self._clock = clock_id()
        self._viewers: set[Viewer] = set()
        self._between = threading.Lock()
        self._newest: dict[str, bytes] = {}
        self._loop = asyncio.new_event_loop()
        self._closing = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="websocket", daemon=True)
        self._thread.start()

    def publish(self, result: Result, counts: Counts) -> None:
        if self._viewers:
            self._leave([message_of(result, counts)])

    def beat(self, health: Mapping[str, Health]) -> None:
        self._leave([*self._changed(), *self._heartbeats.due(health)])

    def _changed(self) -> list[DescribeMessage]:
        """Descriptions that aren't what was said before."""
        before, self._described = self._described, dict(self._descriptions)
        return [each for stream, each in self._described.items() if each is not before.get(stream)]

    def _leave(self, messages: Sequence[Message]) -> None:
        left = {topic_of(message): encode(message) for message in messages}
        if not left or self.alarm:
            return
        with self._between:
            is_awaited = bool(self._newest)
            self._newest |= left
        if not is_awaited:
            self._loop.call_soon_threadsafe(self._take)

    def _take(self) -> None:
        with self._between:
            newest, self._newest = self._newest, {}
        for viewer in self._viewers:
            for topic, message in newest.items():
                viewer.offer(topic, message)

    def close(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join(2 * _CLOSE_S)
        if not self._thread.is_alive():
            self._loop.close()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except Exception as error:  # whatever it is: results go on elsewhere
            self.alarm = f"websocket {self.endpoint}: has ended: {one_line(error)}"
            _log.exception("%s", self.alarm)
        self._listener.close()

    async def _serve(self) -> None:
        async with serve(
            self._attend,
            sock=self._listener,
            process_request=self._answer,
            open_timeout=_OPEN_S,
            compression=None,
            max_size=_LONGEST_REQUEST,
            write_limit=_BUFFER_BYTES,
            close_timeout=_CLOSE_S,
            logger=_unheard,
        ):
            await self._closing.wait()

    def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        if len(self._viewers) >= _MOST_CLIENTS:
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, f"{_MOST_CLIENTS} are watching\n")
        return self._door.answer(connection, request)

    async def _attend(self, connection: ServerConnection) -> None:
        viewer = Viewer()
        for description in list(self._descriptions.values()):
            viewer.offer(topic_of(description), encode(description))
        self._viewers.add(viewer)
        sending = asyncio.create_task(_send(connection, viewer))
        try:
            with suppress(ConnectionClosed):
                async for request in connection:
                    self._tell_time(viewer, request, monotonic_ns())
                    await asyncio.sleep(_REQUEST_EVERY_S)
        finally:
            self._viewers.discard(viewer)
            sending.cancel()

    def _tell_time(self, viewer: Viewer, request: str | bytes, received_ns: int) -> None:
        """Whoever asks for something else gets nothing."""
        try:
            asked = decode_clock(request if isinstance(request, bytes) else request.encode(), ClockRequest)
        except WireError:
            return
        reply = ClockReply(
            asked_ns=asked.sent_ns, received_ns=received_ns, answered_ns=monotonic_ns(), clock=self._clock
        )
        viewer.offer("clock", encode_clock(reply))


async def _send(connection: ServerConnection, viewer: Viewer) -> None:
    with suppress(ConnectionClosed):
        while True:
            await connection.send(await viewer.next())


def _listen(endpoint: str) -> socket.socket:
    """What lies in the system's buffer grows old, so that is small; connections inherit it."""
    host, port = host_of(endpoint).strip("[]"), endpoint.rpartition(":")[2]
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
    try:
        listener.bind(("" if host == "*" else host, 0 if port == "*" else int(port)))
        listener.listen()
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"outputs.websocket.endpoint: can't bind {endpoint}: {error.strerror}; "
            "is another program there, or is it no address of this machine?"
        ) from None
    return listener
