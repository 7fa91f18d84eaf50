"""GrowingFile: bytes that wait in memory until the disk has taken them, however often that fails."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO


class GrowingFile:
    """A new file, to which bytes are only ever added. Used by one thread.

    `write`, `tell` and `flush` are what MCAP's writer asks of a stream, and never fail. `drain` takes the
    bytes to the disk; those that it didn't get rid of are the first of its next call, so that a disk that was
    full, read-only or pulled out meanwhile tears no hole.
    """

    def __init__(self, path: Path) -> None:
        """Raises OSError where no such file can be made; one that is there is emptied."""
        self._path = path
        self._file: BinaryIO | None = path.open("wb", buffering=0)
        self._identity = _identity(os.fstat(self._file.fileno()))
        self._waiting: list[bytes] = []
        self._length = 0
        self._on_disk = 0

    def write(self, data: bytes) -> None:
        self._waiting.append(data)
        self._length += len(data)

    def tell(self) -> int:
        return self._length

    def flush(self) -> None:
        """Nothing: `drain` does."""

    @property
    def is_drained(self) -> bool:
        return self._on_disk == self._length

    def drain(self, *, syncs: bool = False) -> None:
        """Raises OSError for what the disk doesn't take now, FileNotFoundError when the file has gone.
        `syncs`: returns only when no loss of power can undo it.
        """
        try:
            file = self._file = self._file or self._opened_again()
            while self._waiting:
                written = file.write(self._waiting[0])
                self._on_disk += written
                self._waiting[0] = self._waiting[0][written:]
                if not self._waiting[0]:
                    self._waiting.pop(0)
            if syncs:
                os.fsync(file.fileno())
        except OSError:
            self.close()
            raise

    def _opened_again(self) -> BinaryIO:
        """After an error the descriptor may be dead, or another disk be in the place."""
        if self._identity != _identity(self._path.stat()):
            raise FileNotFoundError(f"{self._path}: is another file now")
        os.truncate(self._path, self._on_disk)
        return self._path.open("ab", buffering=0)

    def close(self) -> None:
        """Without what still waits."""
        if self._file is not None:
            self._file.close()
        self._file = None


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
