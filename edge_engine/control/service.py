"""ControlService: answers commands, one at a time, in a thread of its own that the engine hardly feels."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import zmq

from edge_engine.config import ControlConfig
from edge_engine.control.commands import Answer
from edge_engine.control.journal import LOGGER, Journal
from edge_engine.control.leisure import Leisure
from edge_engine.errors import ConfigError, EdgeEngineError, one_line
from edge_engine.keys import CONTROLLERS
from edge_engine.outputs.allow_list import allow_list, open_socket
from edge_engine.wire import (
    LONGEST_REQUEST,
    BadCommandError,
    Command,
    ControlReply,
    WireError,
    decode_request,
    encode_control,
)

_log = logging.getLogger(LOGGER)

# Of each asker; ZeroMQ takes from all of them in turn, so that one who floods waits for itself. More can wait
# to be sent than is answered between two rests; who doesn't read misses what is beyond.
_RECEIVE_QUEUE, _SEND_QUEUE = 16, 128
_SHARE = 0.1
_LONGEST_ERROR = 1000
_LOCAL = "local"


class ControlService:
    """Opened and closed by the thread that has the engine; all else is done by its own."""

    def __init__(self, config: ControlConfig, carry_out: Callable[[Command], Answer]) -> None:
        """Raises ConfigError when the endpoint can't be bound, or is one that other machines reach and has
        neither keys nor `insecure`."""
        self._allowed = allow_list(
            "control.endpoint", config.endpoint, config.keys, (CONTROLLERS,), insecure=config.insecure
        )
        self._carry_out = carry_out
        self._journal = Journal()
        self._closing = threading.Event()
        self._context = zmq.Context()
        self._guard = self._allowed.authenticator(self._context) if self._allowed is not None else None
        self._socket = open_socket(self._context, zmq.ROUTER, LONGEST_REQUEST, self._allowed)
        self._socket.setsockopt(zmq.RCVHWM, _RECEIVE_QUEUE)
        self._socket.setsockopt(zmq.SNDHWM, _SEND_QUEUE)
        self._bind(config.endpoint)
        threading.Thread(target=self._run, name="control", daemon=True).start()

    def _bind(self, endpoint: str) -> None:
        try:
            self._socket.bind(endpoint)
        except zmq.ZMQError as error:
            self._socket.close()
            self.close()
            raise ConfigError(
                f"control.endpoint: can't bind {endpoint}: {zmq.strerror(error.errno or 0)}; is another "
                "engine running, or is it no address of this machine?"
            ) from None
        self.endpoint = self._socket.getsockopt_string(zmq.LAST_ENDPOINT)

    def _run(self) -> None:
        leisure = Leisure(_SHARE)
        try:
            while True:
                self._socket.poll()
                self._answer(self._socket.recv_multipart(copy=False))
                leisure.take(self._closing)
        except zmq.ContextTerminated:
            self._socket.close()

    def _answer(self, frames: list[zmq.Frame]) -> None:
        """What is no request, and whoever may not ask, gets no answer."""
        asker, *parts = frames
        who = self._who(asker)
        if who is None:
            self._journal.refused("a key that is gone", None, "its key was taken away")
        elif len(parts) != 1:
            self._journal.refused(who, None, f"{len(parts)} parts; expected one")
        else:
            reply = self._reply(who, parts[0].bytes)
            if reply is not None:
                self._socket.send_multipart([asker.bytes, encode_control(reply)])

    def _who(self, asker: zmq.Frame) -> str | None:
        """ZeroMQ asks for a key at the handshake alone; here it is asked for with each message."""
        if self._allowed is None:
            return _LOCAL
        return self._allowed.name_of(str(asker.get("User-Id")).encode())

    def _reply(self, who: str, data: bytes) -> ControlReply | None:
        try:
            request = decode_request(data)
        except BadCommandError as error:
            self._journal.refused(who, None, str(error))
            return _refusal(error.id, error)
        except WireError as error:
            self._journal.refused(who, None, str(error))
            return None
        try:
            answer = self._carry_out(request.command)
        except EdgeEngineError as error:
            self._journal.refused(who, request.command, str(error))
            return _refusal(request.id, error)
        except Exception as error:
            _log.exception("control: a command failed; the engine goes on")
            return _refusal(request.id, error)
        self._journal.done(who, request.command)
        return ControlReply(id=request.id, ok=True, snapshot=answer.snapshot, statistics=answer.statistics)

    def close(self) -> None:
        """Waits for a command that is being carried out."""
        self._closing.set()
        if self._guard is not None:
            self._guard.stop()
        self._context.term()


def _refusal(request_id: int, error: Exception) -> ControlReply:
    return ControlReply(id=request_id, ok=False, error=one_line(error, _LONGEST_ERROR))
