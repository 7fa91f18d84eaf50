"""The wire's structs for JavaScript: js/messages.js, which edge_engine.js reads them by.

A type is "int", "ns" (a stamp: BigInt), "float", "bool", "str", a struct's name, or a list of ["list", type],
["tuple", type …], ["map", type], ["optional", type], ["literal", value …].
A field is [type], or [type, default].
"""

from __future__ import annotations

import json

from msgspec.inspect import (
    BoolType,
    DictType,
    Field,
    FloatType,
    IntType,
    ListType,
    LiteralType,
    StrType,
    StructType,
    TupleType,
    Type,
    VarTupleType,
)

from edge_engine import wire
from tools.wire_schema.structs import CLOCK_TOPIC, KINDS, NOTHING, default, optional, structs, unknown

_HEAD = """\
// The messages' fields. GENERATED from edge_engine/wire by `python -m tools.wire_schema`: don't edit.
// A type is "int", "ns" (BigInt), "float", "bool", "str", a struct's name, or ["list", type],
// ["tuple", type, …], ["map", type], ["optional", type], ["literal", value, …].
// A field is [type], or [type, default].
"""


def messages() -> str:
    kinds = {kind: struct.__name__ for kind, struct in KINDS.items()}
    return "\n".join(
        [
            _HEAD,
            f"export const WIRE_VERSION = {wire.WIRE_VERSION};",
            f"export const HEARTBEAT_NS = {wire.HEARTBEAT_NS}n;",
            f"export const CLOCK_TOPIC = {json.dumps(CLOCK_TOPIC)};",
            f"export const KINDS = {json.dumps(kinds)};",
            "export const STRUCTS = {",
            *[_struct(struct) for struct in structs()],
            "};\n",
        ]
    )


def _struct(struct: StructType) -> str:
    fields = [f"    {field.encode_name}: {_field(field)}," for field in struct.fields]
    return "\n".join([f"  {struct.cls.__name__}: {{", *fields, "  },"])


def _field(field: Field) -> str:
    value = default(field)
    kind = json.dumps(_type(field.type, field.name))
    if value is NOTHING:
        return f"[{kind}]"
    if is_stamp(field.name) and isinstance(value, int):
        return f"[{kind}, {value}n]"
    return f"[{kind}, {json.dumps(value)}]"


def is_stamp(name: str) -> bool:
    """Nanoseconds since the machine's start or 1970 don't fit JavaScript's numbers (exact to 2^53)."""
    return name.endswith("_ns")


def _type(info: Type, name: str) -> object:
    inner = optional(info)
    if inner is not None:
        return ["optional", _type(inner, name)]
    match info:
        case IntType():
            return "ns" if is_stamp(name) else "int"
        case FloatType():
            return "float"
        case BoolType():
            return "bool"
        case StrType():
            return "str"
        case LiteralType(values=values):
            return ["literal", *values]
        case ListType(item_type=item) | VarTupleType(item_type=item):
            return ["list", _type(item, name)]
        case DictType(key_type=StrType(), value_type=value):
            return ["map", _type(value, name)]
        case TupleType(item_types=items):
            return ["tuple", *[_type(item, name) for item in items]]
        case StructType(cls=cls):
            return cls.__name__
    raise unknown(info)
