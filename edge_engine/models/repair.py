"""Repair: a model file as the engine runs it, made once per file and kept in the user's cache."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import msgspec

from edge_engine import zoo
from edge_engine.cache import cache_folder, write_atomically
from edge_engine.errors import ModelError
from edge_engine.models.providers import import_runtime
from edge_engine.models.sidecar import load_sidecar

_TIMEOUT_S = 600
# Names what the steps in graph.py give: a newer engine doesn't take what an older one left.
_VERSION = 3


class Repaired(NamedTuple):
    """`changes` says what the repair did, a line each."""

    path: Path
    changes: tuple[str, ...]


def repaired(path: Path, *, is_batched: bool = False) -> Repaired:
    """What is run in place of a model file; batched, it takes any number of pictures at once.

    The zoo's need no repair. Raises ModelError or ProviderError.
    """
    if path.resolve().parent == zoo.FOLDER.resolve() and not is_batched:
        return Repaired(path, ())
    digest = _digest(path)
    kind = f"{_VERSION}-batched" if is_batched else str(_VERSION)
    stem = cache_folder() / "models" / f"{path.stem[:40]}-{digest[:16]}-{kind}"
    model, notes = stem.with_name(f"{stem.name}.onnx"), stem.with_name(f"{stem.name}.json")
    changes = _changes(notes) if model.exists() else None
    if changes is None:
        changes = _repair(path, model, notes, ["--batched"] if is_batched else [])
    return Repaired(model, changes)


def _digest(path: Path) -> str:
    """Of the model and of what is said beside it."""
    digest = hashlib.sha256(path.read_bytes())
    sidecar = load_sidecar(path)
    if sidecar is not None:
        digest.update(msgspec.json.encode(sidecar))
    return digest.hexdigest()


def _changes(notes: Path) -> tuple[str, ...] | None:
    """None when there are none yet: they are written after the model."""
    try:
        return msgspec.json.decode(notes.read_bytes(), type=tuple[str, ...])
    except (OSError, msgspec.MsgspecError):
        return None


def _repair(source: Path, target: Path, notes: Path, options: list[str]) -> tuple[str, ...]:
    """In a process of its own, whose memory goes with it."""
    import_runtime()  # else that process would be the one to miss it
    root = str(Path(__file__).parents[2])
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([root, *sys.path])}
    with tempfile.TemporaryDirectory(prefix="edge-engine-") as folder:
        made = Path(folder) / "repaired.onnx"
        command = [sys.executable, "-m", "edge_engine.models.graph", *options, str(source), str(made)]
        try:
            done = subprocess.run(
                command, capture_output=True, env=environment, timeout=_TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired:
            raise ModelError(f"{source}: its graph could not be repaired within {_TIMEOUT_S} s") from None
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip().splitlines() or ["it gave no reason"]
            is_ours = done.returncode == ModelError.exit_code
            raise ModelError(said[-1] if is_ours else f"{source}: its graph can't be repaired: {said[-1]}")
        write_atomically(target, made.read_bytes())
    write_atomically(notes, done.stdout)
    return msgspec.json.decode(done.stdout, type=tuple[str, ...])
