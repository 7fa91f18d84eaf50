"""YAML values into typed structs; every error names file, line, key, expected and found.

What a field expects is read off its type: `Meta(description=…)` where the type alone says too little,
`Meta(extra=NUMBERS_TOO)` for text that may be written as a number.
"""

from __future__ import annotations

import difflib
import json
import math
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from msgspec import inspect

from edge_engine.errors import ConfigError
from edge_engine.yaml.source import Document, KeyPath, shown

NUMBERS_TOO = {"numbers_too": True}

Names = Annotated[tuple[str, ...], msgspec.Meta(min_length=1, description="a list of names")]
_LABEL = "a label's name or number"
LabelName = Annotated[str | int, msgspec.Meta(description=_LABEL)]
"""What stands for one of a model's labels."""
LabelNames = Annotated[
    tuple[str | int, ...], msgspec.Meta(min_length=1, description="a list of labels, by name or number")
]

S = TypeVar("S", bound=msgspec.Struct)


def build(kind: type[S], document: Document, path: KeyPath = (), value: Any = None) -> S:  # noqa: ANN401
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
    values = {key: _convert(hints[key], document, (*path, key), item) for key, item in mapping.items()}
    try:
        return kind(**values)
    except ConfigError as error:  # fields that don't go together
        raise document.error(path, str(error)) from None


def _convert(hint: Any, document: Document, path: KeyPath, value: Any) -> Any:  # noqa: ANN401
    info = _unwrapped(inspect.type_info(hint))
    if isinstance(info, inspect.StructType) and not (value is None and _takes_none(hint)):
        return build(info.cls, document, path, value)
    if isinstance(info, inspect.DictType):
        return _build_mapping(hint, document, path, value)
    if isinstance(value, int) and not isinstance(value, bool) and _takes_numbers(hint):
        value = str(value)
    try:
        if not isinstance(value, float) or math.isfinite(value):
            return msgspec.convert(value, hint)
    except msgspec.ValidationError:
        pass
    raise document.error(path, f"expected {_describe(hint)}, found {_show(value)}")


def _build_mapping(hint: Any, document: Document, path: KeyPath, value: Any) -> Any:  # noqa: ANN401
    """A mapping with names of one kind to values of one kind."""
    info = _unwrapped(inspect.type_info(hint))
    assert isinstance(info, inspect.DictType)
    if not isinstance(value, dict) or len(value) < (info.min_length or 0):
        raise document.error(path, f"expected {_describe(hint)}, found {_show(value)}")
    name_hint, item_hint = get_args(get_args(hint)[0] if get_origin(hint) is Annotated else hint)
    for name in value:
        try:
            msgspec.convert(name, name_hint)
        except msgspec.ValidationError:
            expected = f"expected {_describe(name_hint)}, found {_show(name)}"
            raise document.error((*path, name), expected) from None
    return {name: _convert(item_hint, document, (*path, name), item) for name, item in value.items()}


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
