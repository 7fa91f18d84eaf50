"""Schemas: what the messages of each topic look like, in the words that Foxglove understands.

Its reader of JSON Schema (parseJsonSchema in https://github.com/foxglove/studio, packages/mcap-support) takes
objects with named fields, numbers, text, truth values and lists of these, and refuses a channel with anything
else: references, alternatives, lists in lists, free maps. So references are resolved here, what may be null
is described as what it is otherwise, and what can't be said is left out; the messages have it all.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from edge_engine.recording import protobuf
from edge_engine.recording.annotations import ImageAnnotations
from edge_engine.recording.frames import FrameMessage
from edge_engine.wire import DescribeMessage, HealthMessage, ResultMessage

Json = dict[str, Any]

_PLAIN = ("boolean", "string", "number", "integer")


class Schema(NamedTuple):
    """`topic` is what follows the stream's name."""

    topic: str
    name: str
    message_encoding: str
    schema_encoding: str
    data: bytes


def simplified(schema: Json) -> Json:
    """An object's schema, as msgspec writes it, in the words that Foxglove takes."""
    simple = _simple(schema, schema.get("$defs", {}))
    assert simple is not None
    return simple


def _simple(schema: Json, known: Json) -> Json | None:
    """None for what can't be said."""
    if "$ref" in schema:
        return _simple(known[schema["$ref"].rpartition("/")[2]], known)
    if "anyOf" in schema:
        kinds = [each for each in schema["anyOf"] if each.get("type") != "null"]
        return _simple(kinds[0], known) if len(kinds) == 1 else None
    if "enum" in schema:
        return {"type": "string" if isinstance(schema["enum"][0], str) else "integer"}
    kind = schema["type"]
    if kind == "object":
        return _simple_object(schema, known)
    if kind == "array":
        items = _simple(schema.get("items") or schema["prefixItems"][0], known)
        return {"type": "array", "items": items} if items and items["type"] != "array" else None
    return {"type": kind} if kind in _PLAIN else None


def _simple_object(schema: Json, known: Json) -> Json | None:
    if "properties" not in schema:
        return None
    fields = {name: _simple(each, known) for name, each in schema["properties"].items()}
    told = {"title": schema["title"]} if "title" in schema else {}
    return {**told, "type": "object", "properties": {name: each for name, each in fields.items() if each}}


def _json(topic: str, name: str, kind: type[msgspec.Struct]) -> Schema:
    schema = simplified(msgspec.json.schema(kind))
    return Schema(topic, name, "json", "jsonschema", msgspec.json.encode({**schema, "title": name}))


COMPRESSED_IMAGE = Schema("image", protobuf.COMPRESSED_IMAGE, "protobuf", "protobuf", protobuf.descriptors())
RAW_IMAGE = Schema("image_raw", protobuf.RAW_IMAGE, "protobuf", "protobuf", protobuf.descriptors())
FRAME = _json("frame", "edge_engine.Frame", FrameMessage)
RESULT = _json("result", "edge_engine.Result", ResultMessage)
ANNOTATIONS = _json("annotations", "foxglove.ImageAnnotations", ImageAnnotations)
HEALTH = _json("health", "edge_engine.Health", HealthMessage)
DESCRIBE = _json("describe", "edge_engine.Describe", DescribeMessage)
