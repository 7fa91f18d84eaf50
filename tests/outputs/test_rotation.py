"""Rotation: files move up by one, the oldest goes, and none moves for nothing."""

from __future__ import annotations

from pathlib import Path

from edge_engine.outputs.rotation import make_way


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_the_oldest_goes_and_all_others_move_up(tmp_path: Path) -> None:
    for age, name in enumerate(("a.jsonl", "a.1.jsonl", "a.2.jsonl")):
        (tmp_path / name).write_text(str(age))
    make_way(tmp_path / "a.jsonl", 3)
    assert contents(tmp_path) == {"a.1.jsonl": "0", "a.2.jsonl": "1"}


def test_where_there_is_none_nothing_moves(tmp_path: Path) -> None:
    """A disk on which no new file can be made must not lose the old ones, one by one, by the trying."""
    (tmp_path / "a.1.jsonl").write_text("1")
    for _ in range(5):
        make_way(tmp_path / "a.jsonl", 3)
    assert contents(tmp_path) == {"a.1.jsonl": "1"}
