"""The wire's structs in C++17: edge_engine/languages/cpp/edge_engine/messages.hpp."""

from __future__ import annotations

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
from tools.wire_schema.structs import CLOCK_TOPIC, KINDS, NOTHING, default, lines, optional, structs, unknown

_HEAD = """\
// The messages as structs. GENERATED from edge_engine/wire by `python -m tools.wire_schema`: don't edit.
// `fields` shows each field to a visitor: name, value, and whether it is required, as without a default.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace edge_engine {
"""


def messages() -> str:
    kinds = {kind: struct.__name__ for kind, struct in KINDS.items()}
    branches = "\n".join(
        f'  if (kind == "{kind}") {{ visit(Kind<{name}>()); return true; }}' for kind, name in kinds.items()
    )
    return "\n".join(
        [
            _HEAD,
            f"inline constexpr std::int64_t WIRE_VERSION = {wire.WIRE_VERSION};",
            f"inline constexpr std::int64_t HEARTBEAT_NS = {wire.HEARTBEAT_NS};",
            f'inline constexpr std::string_view CLOCK_TOPIC = "{CLOCK_TOPIC}";\n',
            *[_struct(struct) for struct in structs()],
            f"using Message = std::variant<{', '.join(kinds.values())}>;\n",
            "template <class T>",
            "struct Kind {\n  using type = T;\n};\n",
            "// Calls the visitor with the Kind that a topic's first word names; false for none.",
            "template <class Visit>",
            f"bool for_kind(std::string_view kind, Visit&& visit) {{\n{branches}\n  return false;\n}}\n",
            "}  // namespace edge_engine\n",
        ]
    )


def _struct(struct: StructType) -> str:
    name = struct.cls.__name__
    comments = [f"// {line}".rstrip() for line in lines(struct)]
    members = [f"  {_type(field.type)} {field.name}{_default(field)};" for field in struct.fields]
    visits = [
        f'    visit("{field.encode_name}", self.{field.name}, {"true" if field.required else "false"});'
        for field in struct.fields
    ]
    visitor = ["  template <class Self, class Visit>", "  static void fields(Self& self, Visit&& visit) {"]
    return "\n".join([*comments, f"struct {name} {{", *members, "", *visitor, *visits, "  }", "};\n"])


def _type(info: Type) -> str:
    inner = optional(info)
    if inner is not None:
        return f"std::optional<{_type(inner)}>"
    match info:
        case IntType():
            return "std::int64_t"
        case FloatType():
            return "double"
        case BoolType():
            return "bool"
        case StrType() | LiteralType():
            return "std::string"
        case ListType(item_type=item) | VarTupleType(item_type=item):
            return f"std::vector<{_type(item)}>"
        case DictType(key_type=StrType(), value_type=value):
            return f"std::map<std::string, {_type(value)}>"
        case TupleType(item_types=items) if len({_type(item) for item in items}) == 1:
            return f"std::array<{_type(items[0])}, {len(items)}>"
        case StructType(cls=cls):
            return cls.__name__
    raise unknown(info)


def _default(field: Field) -> str:
    value = default(field)
    match value:
        case bool():
            return " = true" if value else " = false"
        case int() | float():
            return f" = {value}"
        case str() if value:
            return f' = "{value}"'
    if value is NOTHING or not value:
        return "{}"
    raise unknown(field.type)
