"""The wire's structs and their types: all for the schema, and for clients those that a subscriber meets."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from graphlib import TopologicalSorter
from typing import get_args

import msgspec
from msgspec.inspect import (
    DictType,
    Field,
    ListType,
    NoneType,
    StructType,
    TupleType,
    Type,
    UnionType,
    VarTupleType,
    type_info,
)

from edge_engine import wire

NOTHING = msgspec.NODEFAULT


KINDS = {kind.__name__.removesuffix("Message").lower(): kind for kind in get_args(wire.Message)}
"""What is published, by the first word of its topic."""

CLOCK_TOPIC = "clock"


def all_structs() -> list[type[msgspec.Struct]]:
    found = vars(wire).values()
    return [each for each in found if inspect.isclass(each) and issubclass(each, msgspec.Struct)]


def structs() -> list[StructType]:
    """What is published, and what the exchange of clocks needs; each after those that it has inside."""
    waiting: list[StructType] = [
        _info(each) for each in (*KINDS.values(), wire.ClockRequest, wire.ClockReply)
    ]
    inside = dict[type, list[StructType]]()
    while waiting:
        struct = waiting.pop()
        if struct.cls not in inside:
            inside[struct.cls] = list(_structs_in(struct))
            waiting += inside[struct.cls]
    order = TopologicalSorter({each: [part.cls for part in parts] for each, parts in inside.items()})
    return [_info(each) for each in order.static_order()]


def _info(struct: type[msgspec.Struct]) -> StructType:
    info = type_info(struct)
    assert isinstance(info, StructType)
    return info


def _structs_in(info: Type) -> Iterator[StructType]:
    """Those that are inside of this type, not itself."""
    for inner in _inner(info):
        if isinstance(inner, StructType):
            yield inner
        else:
            yield from _structs_in(inner)


def _inner(info: Type) -> list[Type]:
    match info:
        case StructType(fields=fields):
            return [field.type for field in fields]
        case ListType(item_type=item) | VarTupleType(item_type=item) | DictType(value_type=item):
            return [item]
        case TupleType(item_types=items) | UnionType(types=items):
            return list(items)
    return []


def optional(info: Type) -> Type | None:
    """The type beside None, if None is allowed."""
    if not isinstance(info, UnionType):
        return None
    others = [each for each in info.types if not isinstance(each, NoneType)]
    if len(others) != 1 or len(info.types) != 2:
        raise unknown(info)
    return others[0]


def default(field: Field) -> object:
    """A plain value; NOTHING where the field is required."""
    return field.default_factory() if field.default_factory is not NOTHING else field.default


def lines(struct: StructType) -> list[str]:
    return inspect.cleandoc(struct.cls.__doc__ or "").splitlines()


def unknown(info: Type) -> TypeError:
    return TypeError(
        f"the wire has a type that tools/wire_schema can't write in other languages: {info}; teach it to "
        "structs.py, cpp.py, javascript.py and typescript.py, or use one that is there"
    )
