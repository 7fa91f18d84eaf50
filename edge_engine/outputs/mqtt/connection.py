"""Connection: one connection to a broker, by MQTT 3.1.1, in the hands of one thread."""

from __future__ import annotations

import select
import ssl
import time
from collections import deque
from typing import Any, NamedTuple

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

_CONNECT_S = 5.0
_LOOK_MS = 50
_READS_PER_TURN = 20
_MOST_UNACKNOWLEDGED = 64
_FAREWELL_S = 1.0


class Broker(NamedTuple):
    """Where to connect, and as whom; `tls` is None for a connection that anybody in between can read."""

    host: str
    port: int
    client_id: str
    keepalive_s: int
    username: str | None
    password: str | None
    tls: ssl.SSLContext | None

    def __repr__(self) -> str:  # which a log or a traceback may show
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"


class Retained(NamedTuple):
    topic: str
    payload: bytes


class Connection:
    """Whatever fails is an OSError that says why; then this connection is over."""

    def __init__(self, broker: Broker, qos: int, will: Retained | None) -> None:
        """Connected within a few seconds. `will` is what the broker says once it no longer hears us."""
        self._qos = qos
        self.found: deque[Retained] = deque()  # what `watch` has found retained
        self._unacknowledged: set[int] = set()
        self._answer: Any = None
        self._client = paho.Client(CallbackAPIVersion.VERSION2, broker.client_id)
        self._client.connect_timeout = _CONNECT_S
        self._client.on_connect = self._on_connect
        self._client.on_message = self._on_message
        self._client.on_publish = self._on_publish
        if will is not None:
            self._client.will_set(will.topic, will.payload, qos, retain=True)
        if broker.username is not None:
            self._client.username_pw_set(broker.username, broker.password)
        if broker.tls is not None:
            self._client.tls_set_context(broker.tls)
        try:
            self._client.connect(broker.host, broker.port, broker.keepalive_s)
            self._wait_for_answer()
        except OSError:
            self.abandon()
            raise

    def _wait_for_answer(self) -> None:
        until = time.monotonic() + _CONNECT_S
        while self._answer is None:
            if time.monotonic() > until:
                raise TimeoutError(f"no answer from an MQTT broker within {_CONNECT_S:.0f} s")
            self._wait(select.POLLIN)
            self.turn()

    def _wait(self, event: int) -> None:
        socket = self._client.socket()
        if socket is not None:
            ready = select.poll()
            ready.register(socket, event)
            ready.poll(_LOOK_MS)

    def turn(self) -> None:
        """What has come, what has not gone yet, and the keep-alive. Never waits."""
        for _ in range(_READS_PER_TURN):
            self._check(self._client.loop_read())
        if self._client.want_write():
            self._check(self._client.loop_write())
        self._check(self._client.loop_misc())

    def _check(self, code: int) -> None:
        if self._answer is not None and self._answer.is_failure:
            raise ConnectionRefusedError(f"the broker refuses: {self._answer}; see username and password")
        if code != paho.MQTT_ERR_SUCCESS:
            raise ConnectionError(f"the broker is gone: {paho.error_string(code)}")

    @property
    def is_free(self) -> bool:
        """Whether the broker has taken what it was sent."""
        return not self._client.want_write() and len(self._unacknowledged) < _MOST_UNACKNOWLEDGED

    def publish(self, topic: str, payload: bytes, *, retain: bool) -> None:
        told = self._client.publish(topic, payload, self._qos, retain)
        self._check(told.rc)
        if self._qos:
            self._unacknowledged.add(told.mid)

    def watch(self, topic: str) -> None:
        """What is retained there, with wildcards, is put in `found` in the turns to come."""
        self._check(self._client.subscribe(topic, self._qos)[0])

    def close(self) -> None:
        """With a farewell: the last will is not said."""
        until = time.monotonic() + _FAREWELL_S
        try:
            while (self._client.want_write() or self._unacknowledged) and time.monotonic() < until:
                self._wait(select.POLLOUT if self._client.want_write() else select.POLLIN)
                self.turn()
            self._client.disconnect()
        finally:
            self.abandon()

    def abandon(self) -> None:
        socket = self._client.socket()
        if socket is not None:
            socket.close()

    # paho's callbacks, called in `turn`.

    def _on_connect(
        self, client: paho.Client, data: object, flags: object, code: object, more: object
    ) -> None:
        self._answer = code

    def _on_message(self, client: paho.Client, data: object, message: paho.MQTTMessage) -> None:
        if message.retain:
            self.found.append(Retained(message.topic, bytes(message.payload)))

    def _on_publish(self, client: paho.Client, data: object, mid: int, code: object, more: object) -> None:
        self._unacknowledged.discard(mid)
