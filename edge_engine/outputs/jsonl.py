"""JSON lines: each result as a line of a file, with the fields that the wire has."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec

from edge_engine.config import JsonlConfig
from edge_engine.outputs.output import Circumstances, Output
from edge_engine.outputs.queued import Published, Pulse, QueuedOutput
from edge_engine.outputs.rotation import make_way
from edge_engine.outputs.rows import message_of

_BYTES_PER_MB = 1_000_000


def open_output(config: JsonlConfig, circumstances: Circumstances) -> Output:
    """A disk that is slow, full or gone costs a live engine lines; a lossless one waits for a slow disk."""
    sink = JsonLines(Path(config.path), config.max_mb * _BYTES_PER_MB, config.files)
    return QueuedOutput("jsonl", config.path, sink, waits=circumstances.waits)


class JsonLines:
    def __init__(self, path: Path, longest: int, files: int) -> None:
        """`path` is appended to. Before it would exceed `longest` bytes it is renamed (results.1.jsonl), as
        are the older ones, `files` of which are kept in all.
        """
        self._path, self._longest, self._files = path, longest, files
        self._file: BinaryIO | None = None
        self._encoder = msgspec.json.Encoder()

    def write(self, published: Sequence[Published], pulse: Pulse) -> None:
        lines = b"".join(self._encoder.encode(message_of(*each)) + b"\n" for each in published)
        try:
            self._append(lines)
        except OSError:
            self.close()
            raise

    def _append(self, lines: bytes) -> None:
        """All of them or none: a disk that is full takes what fits, which is taken back."""
        if self._file is None:
            self._file = self._path.open("ab", buffering=0)
        before, written = self._size(), 0
        if before and before + len(lines) > self._longest:
            self._file = self._next_file(self._file)
            before = 0
        try:
            while written < len(lines):
                written += self._file.write(lines[written:])
        except OSError:
            if written:
                self._file.truncate(before)
            raise

    def _size(self) -> int:
        assert self._file is not None
        return os.fstat(self._file.fileno()).st_size

    def _next_file(self, full: BinaryIO) -> BinaryIO:
        full.close()
        make_way(self._path, self._files)
        return self._path.open("wb", buffering=0)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = None
