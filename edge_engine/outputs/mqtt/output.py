"""MqttSink: results to a broker, and what they amount to."""

from __future__ import annotations

import logging
import os
import ssl
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from edge_engine.clock import NS_PER_MS, monotonic_ns
from edge_engine.config import Config, MqttConfig, MqttTlsConfig, tracking_of
from edge_engine.errors import ConfigError, one_line
from edge_engine.outputs.mqtt.board import Board
from edge_engine.outputs.mqtt.connection import Broker, Connection, Retained
from edge_engine.outputs.mqtt.discovery import Announcer
from edge_engine.outputs.mqtt.events import Event, Events
from edge_engine.outputs.mqtt.stream import OFFLINE, ONLINE, StreamTopics
from edge_engine.outputs.output import Circumstances, Output
from edge_engine.outputs.queued import Published, Pulse, QueuedOutput
from edge_engine.outputs.rows import message_of
from edge_engine.wire import DescribeMessage

_log = logging.getLogger("edge_engine.outputs")

_LOOK_S = 0.1
_LONGEST_PAUSE_S = 15.0
_CONGESTED_AFTER_NS = 5000 * NS_PER_MS
_MOST_EVENTS = 1000


def open_output(config: MqttConfig, circumstances: Circumstances) -> Output:
    """Neither a live nor a lossless engine waits for a broker. Raises ConfigError."""
    broker = broker_of(config, config.prefix)
    sink = MqttSink(config, broker, circumstances)
    return QueuedOutput(
        "mqtt", str(broker), sink, waits=False, look_s=_LOOK_S, longest_pause_s=_LONGEST_PAUSE_S
    )


def broker_of(config: MqttConfig, client_id: str) -> Broker:
    """An engine that comes back under the same `client_id` takes the place of its own last connection, whose
    last will is then said before, not after, it is online again. Raises ConfigError."""
    port = config.port or (1883 if config.tls is None else 8883)
    tls = _tls(config.tls) if config.tls is not None else None
    return Broker(config.host, port, client_id, config.keepalive_s, config.username, _password(config), tls)


def probe(config: MqttConfig) -> Broker:
    """The broker, which has been connected to once, under a name that pushes no running engine out. Raises
    ConfigError, and OSError in words for people."""
    broker = broker_of(config, f"{config.prefix}-doctor")
    Connection(broker, config.qos, None).close()
    return broker


def _password(config: MqttConfig) -> str | None:
    given = [config.password, config.password_file, config.password_env]
    if len(given) - given.count(None) > 1:
        raise ConfigError(
            "outputs.mqtt: expected one of password, password_file and password_env, found several"
        )
    if config.password_file is not None:
        try:
            return Path(config.password_file).read_text().rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"outputs.mqtt.password_file: {config.password_file} can't be read: {one_line(error)}"
            ) from None
    if config.password_env is not None:
        if config.password_env not in os.environ:
            raise ConfigError(f"outputs.mqtt.password_env: the environment has no {config.password_env}")
        return os.environ[config.password_env]
    return config.password


def _tls(config: MqttTlsConfig) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=config.ca)
        if config.cert is not None:
            context.load_cert_chain(config.cert, config.key)
    except OSError as error:
        raise ConfigError(f"outputs.mqtt.tls: ca, cert or key can't be used: {one_line(error)}") from None
    return context


class MqttSink:
    """`Board` has what is retained; what comes and goes waits in `_passing`."""

    def __init__(self, config: MqttConfig, broker: Broker, circumstances: Circumstances) -> None:
        self._config, self._broker = config, broker
        self._board = Board(config.interval_ms)
        self._streams = {
            name: self._stream(description) for name, description in circumstances.descriptions.items()
        }
        self._events = {
            name: Events(max_lost_ms) for name, max_lost_ms in tracked(circumstances.config).items()
        }
        self._passing: deque[tuple[str, bytes]] = deque()
        self._lost = 0
        self._next_result_ns: dict[str, int] = {}
        self._connection: Connection | None = None
        self._free_ns = 0
        self._encoder = msgspec.json.Encoder()
        self._board.set(f"{config.prefix}/available", ONLINE)

    def _stream(self, description: DescribeMessage) -> StreamTopics:
        prefix, name = self._config.prefix, description.stream
        announcer = None
        if self._config.discovery is not None:
            announcer = Announcer(self._config.discovery, prefix, name, description.model, self._board)
        topics = StreamTopics(f"{prefix}/{name}", name, self._board, self._config.stale_after_ms, announcer)
        topics.expect(description.classes)
        return topics

    def write(self, published: Sequence[Published], pulse: Pulse) -> None:
        now_ns = monotonic_ns()
        for each in published:
            self._take(each)
        for name, topics in self._streams.items():
            topics.look(pulse, now_ns)
            if not topics.is_online and name in self._events:
                self._tell(self._events[name].end_all())
        try:
            self._exchange(self._connection or self._connect(), now_ns)
        except OSError:
            self._drop()
            raise

    def _take(self, published: Published) -> None:
        result = published.result
        self._streams[result.stream].take(result)
        if result.stream in self._events and not result.frame.doubt:
            self._tell(self._events[result.stream].take(result))
        every_ms, next_ns = self._config.result_every_ms, self._next_result_ns.get(result.stream, 0)
        if every_ms is not None and result.published_ns >= next_ns:
            self._next_result_ns[result.stream] = result.published_ns + every_ms * NS_PER_MS
            whole = self._encoder.encode(message_of(*published))
            self._pass_on(f"{self._streams[result.stream].topic}/result", whole)

    def _tell(self, events: Iterable[Event]) -> None:
        for event in events:
            self._pass_on(f"{self._config.prefix}/events", self._encoder.encode(event))

    def _pass_on(self, topic: str, payload: bytes) -> None:
        if len(self._passing) >= _MOST_EVENTS:
            self._passing.popleft()
            self._lost += 1
        self._passing.append((topic, payload))

    def _connect(self) -> Connection:
        prefix = self._config.prefix
        will = Retained(f"{prefix}/available", OFFLINE)
        self._connection = connection = Connection(self._broker, self._config.qos, will)
        self._board.forget()
        self._free_ns = monotonic_ns()
        connection.watch(f"{prefix}/+/available")
        for topics in self._streams.values():
            connection.watch(f"{topics.topic}/+")
        if self._lost:
            _log.warning("%s: is back; %d events or results were not sent", self._broker, self._lost)
            self._lost = 0
        return connection

    def _exchange(self, connection: Connection, now_ns: int) -> None:
        connection.turn()
        while connection.found:
            self._set_right(connection.found.popleft())
        for topic, payload in list(self._board.due(now_ns)):
            if not connection.is_free:
                break
            connection.publish(topic, payload, retain=True)
            self._board.told(topic, payload, now_ns)
        while self._passing and connection.is_free:
            topic, payload = self._passing.popleft()
            connection.publish(topic, payload, retain=False)
        if connection.is_free:
            self._free_ns = now_ns
        elif now_ns - self._free_ns > _CONGESTED_AFTER_NS:
            raise TimeoutError("the broker doesn't take what it is sent")

    def _set_right(self, found: Retained) -> None:
        """What an earlier run of the engine left behind, such as a label that is not seen in this one."""
        if found.topic in self._board or not found.payload:
            return
        if found.topic.endswith("/available"):
            self._board.set(found.topic, OFFLINE)
        else:
            self._board.set(found.topic, b"0" if found.payload.isdigit() else b"")

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.abandon()
        self._connection = None

    def close(self) -> None:
        """Says that nobody is there any more, if anybody listens."""
        if self._connection is None:
            return
        for topics in self._streams.values():
            topics.leave()
        for events in self._events.values():
            self._tell(events.end_all())
        self._board.set(f"{self._config.prefix}/available", OFFLINE)
        try:
            self._exchange(self._connection, monotonic_ns())
            self._connection.close()
        finally:
            self._drop()


def tracked(config: Config) -> dict[str, int]:
    """The `max_lost_ms` of each stream that is tracked."""
    asked = {name: tracking_of(config, stream) for name, stream in config.streams.items()}
    return {name: tracking.max_lost_ms for name, tracking in asked.items() if tracking is not None}
