"""Pulled: models in the user's cache, NAME.onnx, each with NAME.json: where it is from, and its checksum."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import msgspec

from edge_engine.cache import cache_folder
from edge_engine.zoo.catalogue import Record

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def sha256_of(path: Path) -> str:
    """In hexadecimal, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def pulled_path(name: str) -> Path:
    return cache_folder() / "zoo" / f"{name}.onnx"


def record_path(name: str) -> Path:
    return cache_folder() / "zoo" / f"{name}.json"


def pulled_record(name: str) -> Record | None:
    """None when it was not pulled, or when its record can't be read, which pulling again mends."""
    if not NAME.fullmatch(name):
        return None
    try:
        return msgspec.json.decode(record_path(name).read_bytes(), type=Record)
    except (OSError, msgspec.MsgspecError):
        return None


def pulled_records() -> dict[str, Record]:
    names = sorted(path.stem for path in record_path("any").parent.glob("*.json"))
    records = {name: pulled_record(name) for name in names}
    return {name: record for name, record in records.items() if record is not None}
