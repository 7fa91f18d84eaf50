"""What a YAML file says, as typed structs; every error names file, line, key, expected and found.

Paths in a configuration are relative to the working directory of the process.
"""

from __future__ import annotations

import difflib
import json
import math
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_type_hints

import msgspec
from msgspec import Meta, inspect

from edge_engine.yaml_source import Document, KeyPath, parse, read_text, shown

_NUMBERS_TOO = {"numbers_too": True}
_PORT = r"(\*|[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
_HOST = r"([^\s/:\[\]]+|\[[0-9a-fA-F:.]+(%[\w.-]+)?\])"
_ENDPOINT = rf"^(tcp://{_HOST}:{_PORT}|ipc://.+)\Z"
_ENDPOINTS = "tcp://HOST:PORT (0 to 65535, or *) or ipc://PATH"

SourceText = Annotated[str, Meta(min_length=1, description="a source's URI", extra=_NUMBERS_TOO)]
StreamName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
Share = Annotated[float, Meta(ge=0, le=1)]
Core = Annotated[int, Meta(ge=0, le=4095)]
CoreList = Annotated[tuple[Core, ...], Meta(min_length=1, description="a list of cores such as [2, 3]")]
Endpoint = Annotated[str, Meta(pattern=_ENDPOINT, description=_ENDPOINTS)]


class StreamConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One camera or file. `pace`: a file plays at its own rate, like a camera.

    A result older than `max_age_ms` is not valid any more; a live engine never publishes it.
    """

    source: SourceText
    pace: bool = True
    loop: bool = False
    max_age_ms: Annotated[int, Meta(ge=1, le=600_000)] = 500


class ZeroMqConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where results are published; port * takes a free one."""

    endpoint: Endpoint = "tcp://127.0.0.1:5555"


class OutputsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where results go; none at all is fine for a program that embeds the engine."""

    zeromq: ZeroMqConfig | None = None


class RealtimeConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Linux: the cores that the engine's threads are bound to, and their SCHED_FIFO priority.

    Inference runs one below it, so that it never holds up a camera's stamp. `awake`: no core of the machine
    goes to sleep between frames, which costs power.
    """

    cores: CoreList | None = None
    priority: Annotated[int, Meta(ge=2, le=99)] | None = None
    awake: bool = False


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole engine. `frames` and `seconds` end a run early; None for the rest means: as the model says,
    or as the hint says. `spinning`, `pinned`, `optimisation` and `batch` are those of
    models.providers.Setting; a batch takes pictures of several streams at once."""

    streams: dict[StreamName, StreamConfig]
    model: Annotated[str, Meta(min_length=1, description="a zoo model's name or an ONNX file")] = "nanodet-g"
    policy: Literal["live", "lossless"] = "live"
    hint: Literal["auto", "latency", "throughput"] = "auto"
    provider: Annotated[str, Meta(min_length=1, description="auto or a provider's name")] = "auto"
    workers: Annotated[int, Meta(ge=1, le=64)] | None = None
    threads: Annotated[int, Meta(ge=1, le=256)] | None = None
    spinning: bool | None = None
    pinned: bool | None = None
    optimisation: Literal["basic", "extended", "all"] | None = None
    batch: Annotated[int, Meta(ge=1, le=64)] = 1
    score_threshold: Share | None = None
    iou_threshold: Share | None = None
    frames: Annotated[int, Meta(ge=1)] | None = None
    seconds: Annotated[float, Meta(gt=0)] | None = None
    realtime: RealtimeConfig = RealtimeConfig()
    outputs: OutputsConfig = OutputsConfig()


S = TypeVar("S", bound=msgspec.Struct)


def load_config(path: str | Path) -> Config:
    """A configuration from a YAML file; ConfigError in one line when it can't be used."""
    return parse_config(read_text(Path(path)), str(path))


def parse_config(text: str, name: str) -> Config:
    """The same from text; `name` stands for the file in errors."""
    return _build(Config, parse(text, name), (), None)


def revalidate(struct: S) -> S:
    """A changed struct, checked like one from a file."""
    document = Document("command line", msgspec.to_builtins(struct))
    return _build(type(struct), document, (), None)


def _build(kind: type[S], document: Document, path: KeyPath, value: Any) -> S:  # noqa: ANN401
    """A struct from a mapping, field by field, so that an error knows its key."""
    mapping = document.value if not path else value
    if not isinstance(mapping, dict):
        raise document.error(path, f"expected a mapping of keys and values, found {_show(mapping)}")
    hints = get_type_hints(kind, include_extras=True)
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    for key in mapping:
        if key not in fields:
            raise document.error((*path, key), f'unknown key "{shown(key)}"; {_nearest(key, list(fields))}')
    for name, field in fields.items():
        if field.required and name not in mapping:
            raise document.error(path, f'key "{name}" is missing; expected {_describe(hints[name])}')
    return kind(**{key: _convert(hints[key], document, (*path, key), item) for key, item in mapping.items()})


def _convert(hint: Any, document: Document, path: KeyPath, value: Any) -> Any:  # noqa: ANN401
    info = _unwrapped(inspect.type_info(hint))
    if isinstance(info, inspect.StructType) and not (value is None and _takes_none(hint)):
        return _build(info.cls, document, path, value)
    if isinstance(info, inspect.DictType):
        return _build_streams(info, document, path, value)
    if isinstance(value, int) and not isinstance(value, bool) and _takes_numbers(hint):
        value = str(value)
    try:
        if not isinstance(value, float) or math.isfinite(value):
            return msgspec.convert(value, hint)
    except msgspec.ValidationError:
        pass
    raise document.error(path, f"expected {_describe(hint)}, found {_show(value)}")


def _build_streams(info: inspect.DictType, document: Document, path: KeyPath, value: Any) -> Any:  # noqa: ANN401
    """The named streams, at least one."""
    if not isinstance(value, dict) or not value:
        raise document.error(path, f"expected at least one named stream, found {_show(value)}")
    for name in value:
        try:
            msgspec.convert(name, StreamName)
        except msgspec.ValidationError:
            expected = "expected a stream's name of up to 64 letters, digits, - or _"
            raise document.error((*path, name), f"{expected}, found {_show(name)}") from None
    return {name: _build(StreamConfig, document, (*path, name), item) for name, item in value.items()}


def _nearest(key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key.lower(), known, n=1)
    return f'did you mean "{near[0]}"?' if near else f"known: {', '.join(known)}"


def _show(value: Any) -> str:  # noqa: ANN401
    """A value as the file has it, short."""
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    return shown(json.dumps(value, ensure_ascii=False))


def _unwrapped(info: inspect.Type) -> inspect.Type:
    """The type behind metadata and `| None`."""
    while True:
        if isinstance(info, inspect.Metadata):
            info = info.type
        elif isinstance(info, inspect.UnionType):
            info = _without_none(info)
        else:
            return info


def _without_none(info: inspect.Type) -> inspect.Type:
    if isinstance(info, inspect.UnionType):
        (info,) = (t for t in info.types if not isinstance(t, inspect.NoneType))
    return info


def _takes_none(hint: Any) -> bool:  # noqa: ANN401
    info = inspect.type_info(hint)
    return isinstance(info, inspect.UnionType) and info.includes_none


def _takes_numbers(hint: Any) -> bool:  # noqa: ANN401
    info = inspect.type_info(hint)
    return isinstance(info, inspect.Metadata) and (info.extra or {}).get("numbers_too", False)


def _describe(hint: Any) -> str:  # noqa: ANN401
    """What a field expects, in words, read off its type."""
    info = _without_none(inspect.type_info(hint))
    if isinstance(info, inspect.Metadata) and info.extra_json_schema:
        return str(info.extra_json_schema["description"])
    info = _unwrapped(info)
    if isinstance(info, inspect.LiteralType):
        return " or ".join(str(value) for value in info.values)
    if isinstance(info, inspect.BoolType):
        return "true or false"
    if isinstance(info, inspect.IntType | inspect.FloatType):
        return ("an integer" if isinstance(info, inspect.IntType) else "a number") + _range(info)
    if isinstance(info, inspect.DictType | inspect.StructType):
        return "a mapping of keys and values"
    return "text"


def _range(info: inspect.IntType | inspect.FloatType) -> str:
    if info.ge is not None and info.le is not None:
        return f" from {info.ge} to {info.le}"
    if info.ge is not None:
        return f" of at least {info.ge}"
    return f" above {info.gt}" if info.gt is not None else ""
