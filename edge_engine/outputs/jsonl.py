"""JSON lines: each result as a line of a file, with the fields that the wire has."""

from __future__ import annotations

import errno
import logging
import os
import threading
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import msgspec

from edge_engine.ledger import Counts
from edge_engine.outputs.output import Health
from edge_engine.outputs.rows import message_of
from edge_engine.result import Result

_log = logging.getLogger("edge_engine.outputs")

_MOST_WAITING = 256
_RETRY_S = 1.0
_CLOSE_S = 2.0
_BYTES_PER_MB = 1_000_000


class JsonlOutput:
    """Written by a thread of its own: a disk that is slow, full or gone costs lines, which are counted and
    told of, and never holds up a live engine. As soon as it can be written again, it is. A lossless engine
    waits for a slow disk, not for one that fails.
    """

    name = "jsonl"

    def __init__(self, path: Path, max_mb: int, files: int, *, waits: bool) -> None:
        """`path` is appended to. At `max_mb` it is renamed (results.1.jsonl), as are the older ones, `files`
        of which are kept in all.
        """
        self._path, self._longest, self._files, self._waits = path, max_mb * _BYTES_PER_MB, files, waits
        self._waiting: deque[tuple[Result, Counts]] = deque()
        self._changed = threading.Condition()
        self._is_closing = False
        self._file: BinaryIO | None = None
        self.alarm = ""
        self.lost = 0
        self._encoder = msgspec.json.Encoder()
        self._thread = threading.Thread(target=self._run, name="jsonl", daemon=True)
        self._thread.start()

    def publish(self, result: Result, counts: Counts) -> None:
        with self._changed:
            if self._waits:
                self._changed.wait_for(self._has_room)
            if len(self._waiting) >= _MOST_WAITING:
                self.lost += 1
                self._waiting.popleft()
            self._waiting.append((result, counts))
            self._changed.notify_all()

    def _has_room(self) -> bool:
        return len(self._waiting) < _MOST_WAITING or bool(self.alarm) or self._is_closing

    def beat(self, health: Mapping[str, Health]) -> None:
        pass

    def close(self) -> None:
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        self._thread.join(_CLOSE_S)

    def _run(self) -> None:
        while self._write_waiting():
            pass
        if self._file is not None:
            self._file.close()

    def _write_waiting(self) -> bool:
        """Whether more may come."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_closing)
            taken = list(self._waiting)
            self._waiting.clear()
            self._changed.notify_all()
            is_last = self._is_closing
        lines = b"".join(self._encoder.encode(message_of(*each)) + b"\n" for each in taken)
        try:
            self._write(lines)
        except OSError as error:
            self._fail(error, len(taken))
            with self._changed:
                self._changed.wait_for(lambda: self._is_closing, _RETRY_S)
        return not is_last

    def _write(self, lines: bytes) -> None:
        if not lines:
            return
        if self._file is None:
            self._file = self._path.open("ab", buffering=0)
        elif self._file.tell() + len(lines) > self._longest:
            self._file = self._next_file(self._file)
        written = self._file.write(lines)
        if written < len(lines):  # a disk that is full takes what fits
            self._file.truncate(self._file.tell() - written)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if self.alarm:
            _log.warning("%s: is written again, without %d lines", self._path, self.lost)
            self.alarm = ""

    def _next_file(self, full: BinaryIO) -> BinaryIO:
        full.close()
        for number in range(self._files - 1, 0, -1):
            older = self._numbered(number - 1)
            if older.exists():
                older.replace(self._numbered(number))
        return self._path.open("wb", buffering=0)

    def _numbered(self, number: int) -> Path:
        return self._path.with_suffix(f".{number}{self._path.suffix}") if number else self._path

    def _fail(self, error: OSError, lines: int) -> None:
        """Told once, and in each heartbeat until it can be written again."""
        self.lost += lines
        said = f"{self._path}: can't be written: {error.strerror}"
        if not self.alarm:
            _log.error("%s; results go on, and so does the trying", said)
        self.alarm = said
        if self._file is not None:
            self._file.close()
        self._file = None
