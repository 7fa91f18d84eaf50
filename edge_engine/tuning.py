"""Tuning: what `edge-engine tune` found to be best for a model on a device, kept for `hint: auto`."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

import msgspec

from edge_engine.cache import cache_folder, write_atomically
from edge_engine.models.glance import check_file
from edge_engine.models.providers import Setting, candidates, import_runtime
from edge_engine.processor import cores, processor_name

Goal = Literal["latency", "throughput"]


class Tuning(msgspec.Struct, frozen=True, kw_only=True):
    """The best setting for each goal, and what it was measured with."""

    processor: str
    cores: int
    runtime: str
    providers: list[str]
    sha256: str
    best: dict[Goal, Setting]


def save_tuning(model: Path, best: dict[Goal, Setting]) -> Path:
    """Keeps the winners of this model on this device, and those of other goals that were found before."""
    key = _key(model)
    before = load_tuning(model)
    tuning = msgspec.structs.replace(key, best={**before.best, **best} if before else best)
    path = _path(key)
    write_atomically(path, msgspec.json.format(msgspec.json.encode(tuning)))
    return path


def load_tuning(model: Path) -> Tuning | None:
    """None if this model was never tuned here, with these cores and this runtime."""
    try:
        return msgspec.json.decode(_path(_key(model)).read_bytes(), type=Tuning)
    except (OSError, msgspec.MsgspecError):  # a file that can't be used is as good as none
        return None


def _key(model: Path) -> Tuning:
    check_file(model)
    runtime = import_runtime()
    return Tuning(
        processor=processor_name(),
        cores=cores(),
        runtime=runtime.__version__,
        providers=candidates(runtime, "auto"),
        sha256=hashlib.sha256(model.read_bytes()).hexdigest(),
        best={},
    )


def _path(key: Tuning) -> Path:
    device = hashlib.sha256(msgspec.json.encode(key)).hexdigest()
    return cache_folder() / "tuning" / f"{key.sha256[:16]}-{device[:16]}.json"
