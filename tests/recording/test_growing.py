"""A growing file on disks that are full, read-only or gone: no byte is lost, doubled or torn."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_engine.recording.growing import GrowingFile
from tests.rigs.disk import remount, small_disk

BLOCK = bytes(range(256)) * 300


@pytest.fixture
def file(tmp_path: Path) -> Iterator[GrowingFile]:
    growing = GrowingFile(tmp_path / "file")
    yield growing
    growing.close()


def test_what_a_limit_cut_off_follows_when_it_is_lifted(tmp_path: Path, file: GrowingFile) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        for _ in range(3):
            file.write(BLOCK)
        for _ in range(2):
            with pytest.raises(OSError, match="File too large"):
                file.drain()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (tmp_path / "file").stat().st_size == 100_000
    assert not file.is_drained
    file.write(b"end")
    file.drain(syncs=True)
    assert file.is_drained
    assert (tmp_path / "file").read_bytes() == 3 * BLOCK + b"end"


def test_a_full_disk_gets_the_rest_when_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "card", 200_000) as card:
        file = GrowingFile(card / "file")
        for _ in range(5):
            file.write(BLOCK)
        with pytest.raises(OSError, match="No space left on device"):
            file.drain()
        remount(card, "size=1000000")
        file.drain(syncs=True)
        assert (card / "file").read_bytes() == 5 * BLOCK
        file.close()


def test_a_file_that_was_taken_away_is_not_gone_on_with(tmp_path: Path, file: GrowingFile) -> None:
    file.write(BLOCK)
    file.drain()
    file.close()
    (tmp_path / "file").unlink()
    file.write(BLOCK)
    with pytest.raises(FileNotFoundError):
        file.drain()


def test_another_file_in_its_place_is_left_alone(tmp_path: Path, file: GrowingFile) -> None:
    file.write(BLOCK)
    file.drain()
    file.close()
    (tmp_path / "file").rename(tmp_path / "older")
    (tmp_path / "file").write_bytes(2 * BLOCK)
    file.write(BLOCK)
    with pytest.raises(FileNotFoundError, match="another file"):
        file.drain()
    assert (tmp_path / "file").read_bytes() == 2 * BLOCK
