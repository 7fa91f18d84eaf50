"""Rotation: a full file gets a number, as the older ones have, and the oldest goes."""

from __future__ import annotations

from pathlib import Path


def make_way(path: Path, files: int) -> None:
    """Renames `path` (results.jsonl becomes results.1.jsonl) and all before it, so that with a new one there
    are `files` in all; where there is none, nothing. Raises OSError."""
    if not path.exists():
        return
    for number in range(files - 1, 0, -1):
        older = _numbered(path, number - 1)
        if older.exists():
            older.replace(_numbered(path, number))


def _numbered(path: Path, number: int) -> Path:
    return path.with_suffix(f".{number}{path.suffix}") if number else path
