"""Puts an imported model into the zoo: its metadata, its file, its entry in index.json."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import onnx

from edge_engine.models.spec import METADATA_KEY


def describe(model: onnx.ModelProto, spec: dict[str, Any] | None = None) -> None:
    """Our metadata, new or those that are there, and no other."""
    said = spec or next(json.loads(p.value) for p in model.metadata_props if p.key == METADATA_KEY)
    del model.metadata_props[:]
    model.metadata_props.append(onnx.StringStringEntryProto(key=METADATA_KEY, value=json.dumps(said)))
    model.producer_name, model.producer_version = "edge_engine", ""


def write(model: onnx.ModelProto, folder: Path, name: str, description: str) -> None:
    """The file, called as its metadata says, and its entry under `name`, by which configurations know it."""
    (metadata,) = (entry for entry in model.metadata_props if entry.key == METADATA_KEY)
    spec = json.loads(metadata.value)
    data = model.SerializeToString(deterministic=True)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{spec['name']}.onnx"
    path.write_bytes(data)
    index_path = folder / "index.json"
    index = json.loads(index_path.read_text()) if index_path.exists() else {}
    index[name] = {
        "file": path.name,
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "task": spec["task"],
        "licence": spec["licence"],
        "source": spec["source"],
        "description": description,
    }
    index_path.write_text(json.dumps(index, indent=2) + "\n")
    print(f"{path}: {len(data) / 1e6:.1f} MB, SHA-256 {index[name]['sha256']}")
