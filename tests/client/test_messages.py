"""Messages that were harmed on the way, thousands of them, from another process."""

from __future__ import annotations

from pathlib import Path

from tests.client.soak_messages import told_apart


def test_every_damaged_repeated_late_missing_and_foreign_message_is_told(tmp_path: Path) -> None:
    wanted, found, numbers = told_apart(5_000, str(tmp_path))
    assert found == wanted
    assert min(wanted.values()) > 100
    assert numbers == sorted(set(numbers)), "and none of them was given out"
