"""Cameras and configurations: what can be opened, tried for real."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import zmq

from edge_engine.config import Config, StreamConfig, ZeroMqConfig, load_config
from edge_engine.diagnosis.broker import broker
from edge_engine.diagnosis.finding import Finding, Level
from edge_engine.diagnosis.system import held_by
from edge_engine.errors import ConfigError, CorruptFrameError, EdgeEngineError
from edge_engine.models.model import Model
from edge_engine.models.providers import Setting
from edge_engine.outputs.allow_list import AllowList, is_private
from edge_engine.sources import make_source
from edge_engine.sources.live import Patience
from edge_engine.zoo import find_model

_MOST_DAMAGED = 100


def cameras() -> Iterator[Finding]:
    if sys.platform != "linux":
        return
    from edge_engine.sources.v4l2.listing import list_cameras

    found = list_cameras()
    for camera in found:
        if camera.problem:
            yield Finding(f"camera {camera.device}", "note", camera.problem)
        else:
            formats = ", ".join(camera.formats) or "no format"
            yield Finding(f"camera {camera.device}", "ok", f"{camera.name}: {formats}")
    if not found:
        cure = "plug one in; in a container, docker run --device /dev/video0"
        yield Finding("cameras", "note", "there is no /dev/video* that gives pictures", cure)


def configuration(path: Path) -> Iterator[Finding]:
    """That it loads, its model, its endpoint, and a picture of each stream."""
    try:
        config = load_config(path)
    except EdgeEngineError as error:
        yield Finding("configuration", "bad", str(error), "mend that line")
        return
    yield Finding("configuration", "ok", f"{path}: {len(config.streams)} streams, model {config.model}")
    yield _model(config)
    yield from _endpoint(config)
    yield from broker(config)
    for name, stream in config.streams.items():
        yield _stream(name, stream)


def _model(config: Config) -> Finding:
    try:
        model = Model(find_model(config.model), Setting(provider=config.provider))
    except EdgeEngineError as error:
        return Finding("its model", "bad", str(error))
    return Finding("its model", "ok", f"{model.spec.name} loads on {model.setting.provider}")


def _endpoint(config: Config) -> Iterator[Finding]:
    if config.outputs.zeromq is None:
        return
    endpoint = config.outputs.zeromq.endpoint
    yield from _who_may_listen(config.outputs.zeromq)
    if endpoint.startswith("ipc://"):
        yield _socket_file(Path(endpoint.removeprefix("ipc://")))
        return
    with zmq.Context() as context, context.socket(zmq.PUB) as publisher:
        try:
            publisher.bind(endpoint)
        except zmq.ZMQError as error:
            cure = "is another engine running, or is it no address of this machine?"
            said = f"{endpoint}: {zmq.strerror(error.errno or 0)}"
            if error.errno == zmq.EADDRINUSE:
                said += held_by(endpoint)
            yield Finding("its endpoint", "bad", said, cure)
        else:
            yield Finding("its endpoint", "ok", f"{endpoint} is free")


def _who_may_listen(zeromq: ZeroMqConfig) -> Iterator[Finding]:
    if zeromq.keys is not None:
        try:
            AllowList(Path(zeromq.keys))
        except ConfigError as error:
            yield Finding("who may listen", "bad", str(error), f"edge-engine keygen {zeromq.keys}")
        else:
            yield Finding(
                "who may listen", "ok", f"those with a key in {zeromq.keys}/clients and controllers"
            )
    elif not is_private(zeromq.endpoint):
        level: Level = "note" if zeromq.insecure else "bad"
        cure = "`keys: keys/` beside it, and edge-engine keygen keys/"
        yield Finding("who may listen", level, f"{zeromq.endpoint}: whoever is in the network", cure)


def _socket_file(path: Path) -> Finding:
    """Asked by connecting: to bind would take it away from the engine that publishes there."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            is_writable = os.access(path.parent, os.W_OK)
            if is_writable:
                return Finding("its endpoint", "ok", f"ipc://{path} is free")
            return Finding(
                "its endpoint", "bad", f"ipc://{path}: {path.parent} can't be written to", "another folder"
            )
    cure = "is another engine running?"
    return Finding("its endpoint", "bad", f"ipc://{path}: somebody publishes there already", cure)


def _stream(name: str, stream: StreamConfig) -> Finding:
    """Its first picture, within its own deadline."""
    check = f"its stream {name}"
    try:
        source = make_source(
            stream.source,
            pace=False,
            loop=False,
            patience=Patience(stream.open_deadline_ms, reconnect="never"),
        )
    except EdgeEngineError as error:
        return Finding(check, "bad", str(error))
    try:
        if not source.is_live and stream.source.partition(":")[0] == "push":
            return Finding(check, "ok", "pictures are pushed by the program around the engine")
        source.open()
        for _ in range(_MOST_DAMAGED):
            try:
                grab = source.read()
            except CorruptFrameError:
                continue
            if grab is None:
                return Finding(check, "bad", f"{source.description}: ends without a picture")
            width, height = grab.pixels.size
            return Finding(check, "ok", f"{source.description}: a picture of {width}x{height}")
        return Finding(check, "bad", f"{source.description}: its first {_MOST_DAMAGED} pictures are damaged")
    except EdgeEngineError as error:
        return Finding(check, "bad", str(error))
    finally:
        source.interrupt()
        source.close()
