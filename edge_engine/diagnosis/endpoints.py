"""The endpoints of a configuration: whether they are free, and who may come."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import zmq

from edge_engine.config import Config, ControlConfig, ZeroMqConfig
from edge_engine.diagnosis.finding import Finding, Level
from edge_engine.diagnosis.system import held_by
from edge_engine.errors import ConfigError
from edge_engine.keys import CONTROLLERS
from edge_engine.outputs.allow_list import LISTENERS, AllowList, is_private


class _Service(NamedTuple):
    """`may`: what those do who come; `folders` of `keys` are theirs."""

    name: str
    may: str
    config: ZeroMqConfig | ControlConfig
    folders: tuple[str, ...]


def endpoints(config: Config) -> Iterator[Finding]:
    """Of results, of commands, and of the page with results."""
    if config.outputs.zeromq is not None:
        yield from _service(_Service("its endpoint", "listen", config.outputs.zeromq, LISTENERS))
    if config.control is not None:
        yield from _service(_Service("its control endpoint", "control", config.control, (CONTROLLERS,)))
    if config.outputs.websocket is not None:
        yield _address("its page", f"tcp://{config.outputs.websocket.endpoint}")


def _service(service: _Service) -> Iterator[Finding]:
    yield from _who_may(service)
    endpoint = service.config.endpoint
    if endpoint.startswith("ipc://"):
        yield _socket_file(service.name, Path(endpoint.removeprefix("ipc://")))
    else:
        yield _address(service.name, endpoint)


def _who_may(service: _Service) -> Iterator[Finding]:
    check, (endpoint, keys) = f"who may {service.may}", (service.config.endpoint, service.config.keys)
    if keys is not None:
        try:
            AllowList(Path(keys), service.folders)
        except ConfigError as error:
            yield Finding(check, "bad", str(error), f"edge-engine keygen {keys}")
        else:
            yield Finding(check, "ok", f"those with a key in {keys}/{' and '.join(service.folders)}")
    elif not is_private(endpoint):
        level: Level = "note" if service.config.insecure else "bad"
        cure = "`keys: keys/` beside it, and edge-engine keygen keys/"
        yield Finding(check, level, f"{endpoint}: whoever is in the network", cure)


def _address(check: str, endpoint: str) -> Finding:
    with zmq.Context() as context, context.socket(zmq.PUB) as publisher:
        try:
            publisher.bind(endpoint)
        except zmq.ZMQError as error:
            cure = "is another engine running, or is it no address of this machine?"
            said = f"{endpoint}: {zmq.strerror(error.errno or 0)}"
            if error.errno == zmq.EADDRINUSE:
                said += held_by(endpoint)
            return Finding(check, "bad", said, cure)
    return Finding(check, "ok", f"{endpoint} is free")


def _socket_file(check: str, path: Path) -> Finding:
    """Asked by connecting: to bind would take it away from the engine that has it."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            if os.access(path.parent, os.W_OK):
                return Finding(check, "ok", f"ipc://{path} is free")
            return Finding(check, "bad", f"ipc://{path}: {path.parent} can't be written to", "another folder")
    return Finding(check, "bad", f"ipc://{path}: somebody is there already", "is another engine running?")
