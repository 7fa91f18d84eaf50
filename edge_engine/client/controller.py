"""Controller: tells an engine what to do, and asks it how it is doing.

    controller = Controller("tcp://127.0.0.1:5556")
    controller.pause("front")

Each request has a connection and a deadline of its own, so that what an engine did not get in time it will
not get later either.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

import zmq

from edge_engine.client.credentials import credentials, protect
from edge_engine.clock import NS_PER_MS, NS_PER_S, monotonic_ns
from edge_engine.errors import ConfigError, RefusedError, SourceError
from edge_engine.wire import (
    Command,
    ControlReply,
    ControlRequest,
    GetStatistics,
    Pause,
    Resume,
    SetClasses,
    SetThresholds,
    Snapshot,
    Summary,
    TakeSnapshot,
    UseModel,
    WireError,
    command_name,
    decode_reply,
    encode_control,
)

DEFAULT_CONTROL_ENDPOINT = "tcp://127.0.0.1:5556"
_LONGEST_REPLY = 2**24
_LARGEST_ID = 2**63


class Controller:
    """Of one engine. Any thread may use it.

    Each method returns once the engine has done it: the next frame that a stage takes up is under the new
    terms, and subscribers are told them by `described`. Raises RefusedError, with what the engine says,
    when nothing was changed; SourceError without an answer in `timeout_s`.
    """

    def __init__(
        self,
        endpoint: str = DEFAULT_CONTROL_ENDPOINT,
        *,
        server_key: str | Path | None = None,
        client_key: str | Path | None = None,
        timeout_s: float = 5.0,
    ) -> None:
        """The keys as a Subscriber's. Connecting to nobody is fine. Raises ConfigError."""
        self._endpoint, self._timeout_s = endpoint, timeout_s
        self._credentials = credentials(server_key, client_key)

    def pause(self, stream: str) -> None:
        """Nothing is recognised in it until `resume`; its camera is read on."""
        self._ask(Pause(stream=stream))

    def resume(self, stream: str) -> None:
        self._ask(Resume(stream=stream))

    def set_thresholds(
        self,
        stream: str,
        score_threshold: float | None = None,
        label_thresholds: Mapping[str, float] | None = None,
    ) -> None:
        """Scores 0..1. A `score_threshold` sets aside the labels' own from before; else these add up."""
        labels = dict(label_thresholds or {})
        self._ask(SetThresholds(stream=stream, score_threshold=score_threshold, label_thresholds=labels))

    def set_classes(self, stream: str, classes: Iterable[str]) -> None:
        """The labels to publish, by name or number; none stands for all."""
        self._ask(SetClasses(stream=stream, classes=tuple(classes)))

    def use_model(self, name: str) -> None:
        """One of `model` and `standby_models` in the engine's configuration, as it is called there."""
        self._ask(UseModel(name=name))

    def snapshot(self, stream: str, longest_side: int | None = None, quality: int = 85) -> Snapshot:
        """The next picture, as a JPEG, with the result that belongs to it; smaller where it is longer than
        `longest_side`, in pixels."""
        reply = self._ask(TakeSnapshot(stream=stream, longest_side=longest_side, quality=quality))
        if reply.snapshot is None:
            raise SourceError(f"{self._endpoint}: an answer without a picture; expected one")
        return reply.snapshot

    def statistics(self) -> Summary:
        """What `edge-engine run --json` prints, as of now."""
        reply = self._ask(GetStatistics())
        if reply.statistics is None:
            raise SourceError(f"{self._endpoint}: an answer without statistics; expected some")
        return reply.statistics

    def _ask(self, command: Command) -> ControlReply:
        request = ControlRequest(id=secrets.randbelow(_LARGEST_ID), command=command)
        socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.DEALER)
        with socket:
            socket.setsockopt(zmq.LINGER, 0)
            socket.setsockopt(zmq.MAXMSGSIZE, _LONGEST_REPLY)
            protect(socket, self._credentials)
            self._connect(socket)
            socket.send(encode_control(request))
            reply = self._reply(socket, request.id)
        if reply is None:
            raise SourceError(
                f"{self._endpoint}: no answer to {command_name(command)} within {self._timeout_s:g} s; is an "
                "engine controlled there, and may this key control it?"
            )
        if not reply.ok:
            raise RefusedError(f"{self._endpoint}: {command_name(command)} was refused: {reply.error}")
        return reply

    def _connect(self, socket: zmq.Socket[bytes]) -> None:
        try:
            socket.connect(self._endpoint)
        except zmq.ZMQError as error:
            raise ConfigError(
                f"can't connect to {self._endpoint!r}: {zmq.strerror(error.errno or 0)}; expected something "
                f"like {DEFAULT_CONTROL_ENDPOINT}"
            ) from None

    def _reply(self, socket: zmq.Socket[bytes], request_id: int) -> ControlReply | None:
        """Its own; None once the time is over."""
        deadline_ns = monotonic_ns() + int(self._timeout_s * NS_PER_S)
        while socket.poll(max(0, (deadline_ns - monotonic_ns()) // NS_PER_MS)):
            try:
                reply = decode_reply(socket.recv())
            except WireError:
                continue
            if reply.id == request_id:
                return reply
        return None
