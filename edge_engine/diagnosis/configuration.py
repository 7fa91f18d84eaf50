"""What a configuration asks for, tried for real: its models, its endpoints, and a picture of each stream."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edge_engine.config import Config, StreamConfig, load_config
from edge_engine.diagnosis.broker import broker
from edge_engine.diagnosis.endpoints import endpoints
from edge_engine.diagnosis.finding import Finding
from edge_engine.errors import CorruptFrameError, EdgeEngineError
from edge_engine.models.model import Model
from edge_engine.models.providers import Setting
from edge_engine.sources import make_source
from edge_engine.sources.live import Patience
from edge_engine.zoo import find_model

_MOST_DAMAGED = 100


def configuration(path: Path) -> Iterator[Finding]:
    try:
        config = load_config(path)
    except EdgeEngineError as error:
        yield Finding("configuration", "bad", str(error), "mend that line")
        return
    yield Finding("configuration", "ok", f"{path}: {len(config.streams)} streams, model {config.model}")
    yield _model("its model", config.model, config)
    for name in config.standby_models:
        yield _model("its standby model", name, config)
    yield from endpoints(config)
    yield from broker(config)
    for name, stream in config.streams.items():
        yield _stream(name, stream)


def _model(check: str, name: str, config: Config) -> Finding:
    try:
        model = Model(find_model(name), Setting(provider=config.provider))
    except EdgeEngineError as error:
        return Finding(check, "bad", str(error))
    return Finding(check, "ok", f"{model.spec.name} loads on {model.setting.provider}")


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
