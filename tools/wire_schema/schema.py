"""The wire as a JSON Schema, with the docstrings of the wire as its descriptions."""

from __future__ import annotations

import inspect
import json

import msgspec

from edge_engine import wire
from tools.wire_schema.structs import KINDS, all_structs


def schema() -> str:
    _, parts = msgspec.json.schema_components(all_structs(), ref_template="#/$defs/{name}")
    for part in parts.values():
        if "description" in part:
            part["description"] = inspect.cleandoc(part["description"])
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "edge_engine's messages",
        "description": inspect.cleandoc(wire.__doc__ or ""),
        "version": wire.WIRE_VERSION,
        "topics": {f"{kind}/<stream>": _reference(struct) for kind, struct in KINDS.items()},
        "oneOf": [_reference(struct) for struct in KINDS.values()],
        "$defs": parts,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _reference(struct: type[msgspec.Struct]) -> dict[str, str]:
    return {"$ref": f"#/$defs/{struct.__name__}"}
