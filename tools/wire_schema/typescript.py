"""The wire's structs as TypeScript's interfaces: edge_engine/languages/js/messages.d.ts."""

from __future__ import annotations

import json

from msgspec.inspect import (
    BoolType,
    DictType,
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

from tools.wire_schema.javascript import is_stamp
from tools.wire_schema.structs import KINDS, lines, optional, structs, unknown

_HEAD = """\
// The messages. GENERATED from edge_engine/wire by `python -m tools.wire_schema`: don't edit.
// Every field is there once a message is decoded; *_ns, nanoseconds, are BigInts.
"""


def messages() -> str:
    kinds = {kind: struct.__name__ for kind, struct in KINDS.items()}
    return "\n".join(
        [
            _HEAD,
            "export const WIRE_VERSION: number;",
            "export const HEARTBEAT_NS: bigint;",
            "export const CLOCK_TOPIC: string;\n",
            *[_interface(struct) for struct in structs()],
            f"export type Message = {' | '.join(kinds.values())};\n",
            f"export interface Kinds {{\n{_members(kinds)}\n}}\n",
        ]
    )


def _interface(struct: StructType) -> str:
    comment = ["/**", *[f" * {line}".rstrip() for line in lines(struct)], " */"]
    members = _members({field.encode_name: _type(field.type, field.name) for field in struct.fields})
    return "\n".join([*comment, f"export interface {struct.cls.__name__} {{", members, "}\n"])


def _members(types: dict[str, str]) -> str:
    return "\n".join(f"  {name}: {kind};" for name, kind in types.items())


def _type(info: Type, name: str) -> str:
    inner = optional(info)
    if inner is not None:
        return f"{_type(inner, name)} | null"
    match info:
        case IntType():
            return "bigint" if is_stamp(name) else "number"
        case FloatType():
            return "number"
        case BoolType():
            return "boolean"
        case StrType():
            return "string"
        case LiteralType(values=values):
            return " | ".join(json.dumps(value) for value in values)
        case ListType(item_type=item) | VarTupleType(item_type=item):
            return f"Array<{_type(item, name)}>"
        case DictType(key_type=StrType(), value_type=value):
            return f"Record<string, {_type(value, name)}>"
        case TupleType(item_types=items):
            return f"[{', '.join(_type(item, name) for item in items)}]"
        case StructType(cls=cls):
            return cls.__name__
    raise unknown(info)
