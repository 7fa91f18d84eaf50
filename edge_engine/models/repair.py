"""Repair: a model file as the engine runs it, made once per file and kept in the user's cache."""

from __future__ import annotations

import glob
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
from edge_engine.models.limits import why_it_ended
from edge_engine.models.providers import import_runtime
from edge_engine.models.sidecar import load_sidecar

# Names what the steps in graph.py give and saw run: a newer engine doesn't take what an older one left.
_VERSION = 6


class Repaired(NamedTuple):
    """`changes` says what the repair did, a line each."""

    path: Path
    changes: tuple[str, ...]


class _Notes(msgspec.Struct, frozen=True):
    """What is kept beside a repaired model, written after it; or alone, why there can't be one."""

    changes: tuple[str, ...] = ()
    refused: str | None = None


class _Kept(NamedTuple):
    """Where the cache has a repaired model, or will have it."""

    model: Path
    notes: Path

    def read(self) -> _Notes | None:
        """None when there is nothing that can be used."""
        try:
            notes = msgspec.json.decode(self.notes.read_bytes(), type=_Notes)
        except (OSError, msgspec.MsgspecError):
            return None
        return notes if notes.refused or self.model.exists() else None


def repaired(
    path: Path,
    *,
    is_batched: bool = False,
    aspect: tuple[int, int] | None = None,
    labels: tuple[str, ...] = (),
) -> Repaired:
    """What is run in place of a model file; batched, it takes any number of pictures at once; for an aspect
    ratio, it leaves out the padding around such pictures. `labels`: in place of its own.

    The zoo's need no repair. Raises ModelError or ProviderError.
    """
    is_ours = path.resolve().parent == zoo.FOLDER.resolve()
    if is_ours and not is_batched and aspect is None:
        return Repaired(path, ())
    options = ["--batched"] * is_batched + (["--aspect", _shown(aspect)] if aspect else [])
    kept = _kept(path, options, labels)
    notes = kept.read() or _repair(path, kept, [*options, "--labels", msgspec.json.encode(labels).decode()])
    if notes.refused:
        raise ModelError(notes.refused)
    return Repaired(kept.model, () if is_ours else notes.changes)


def is_known(path: Path, aspect: tuple[int, int], labels: tuple[str, ...] = ()) -> bool:
    """Whether the cache has the form for an aspect ratio, or knows that there is none."""
    try:
        return _kept(path, ["--aspect", _shown(aspect)], labels).read() is not None
    except (OSError, ModelError):  # which whoever loads the model tells
        return False


def _shown(aspect: tuple[int, int]) -> str:
    return f"{aspect[0]}x{aspect[1]}"


def _kept(path: Path, options: list[str], labels: tuple[str, ...]) -> _Kept:
    kind = "-".join([str(_VERSION), *(option.lstrip("-") for option in options)])
    stem = cache_folder() / "models" / f"{path.stem[:40]}-{_digest(path, labels)[:16]}-{kind}"
    return _Kept(stem.with_name(f"{stem.name}.onnx"), stem.with_name(f"{stem.name}.json"))


def _digest(path: Path, labels: tuple[str, ...]) -> str:
    """Of the model, of weights that lie beside it, by size and time, and of what else is said beside it."""
    digest = hashlib.sha256(path.read_bytes())
    for weights in sorted({*path.parent.glob(f"{glob.escape(path.stem)}*data*")} - {path}):
        digest.update(f"{weights.name} {weights.stat().st_size} {weights.stat().st_mtime_ns}".encode())
    sidecar = load_sidecar(path)
    if sidecar is not None:
        digest.update(msgspec.json.encode(sidecar))
    if labels:
        digest.update(msgspec.json.encode(labels))
    return digest.hexdigest()


def _repair(source: Path, kept: _Kept, options: list[str]) -> _Notes:
    """In a process of its own, which limits itself: only what ran there is ever loaded here."""
    import_runtime()  # else that process would be the one to miss it
    root = str(Path(__file__).parents[2])
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([root, *sys.path])}
    with tempfile.TemporaryDirectory(prefix="edge-engine-") as folder:
        made = Path(folder) / "repaired.onnx"
        command = [sys.executable, "-m", "edge_engine.models.graph", *options, str(source), str(made)]
        done = subprocess.run(command, capture_output=True, env=environment, check=False)
        if done.returncode == 0:
            write_atomically(kept.model, made.read_bytes())
            notes = _Notes(msgspec.json.decode(done.stdout, type=tuple[str, ...]))
        else:
            notes = _Notes(refused=why_it_ended(source, done))
            if "--aspect" not in options or done.returncode != ModelError.exit_code:
                return notes
    write_atomically(kept.notes, msgspec.json.encode(notes))
    return notes
