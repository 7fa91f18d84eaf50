"""What tests of live sources have in common: opened with their state, read so far or on and on."""

from __future__ import annotations

import threading
import time
from typing import NamedTuple

from edge_engine.errors import CorruptFrameError
from edge_engine.sources import make_source
from edge_engine.sources.live import Patience
from edge_engine.sources.source import Grab, Source
from edge_engine.sources.test_pattern import read_counter
from edge_engine.state import StreamStatus
from tests.rigs.peer import PATIENCE_S, wait_until


class Opened(NamedTuple):
    source: Source
    status: StreamStatus


def opened(text: str, patience: Patience | None = None) -> Opened:
    status = StreamStatus("a")
    source = make_source(text, pace=True, loop=False, status=status, patience=patience or Patience(30_000))
    source.open()
    return Opened(source, status)


def pictures(source: Source, count: int) -> list[Grab]:
    grabs: list[Grab] = []
    until = time.monotonic() + PATIENCE_S
    while len(grabs) < count:
        assert time.monotonic() < until, f"{len(grabs)} of {count} pictures"
        try:
            grab = source.read()
        except CorruptFrameError:
            continue
        assert grab is not None
        grabs.append(grab)
    return grabs


def too_fresh_ms(grab: Grab) -> int:
    """How much later the stamp is than the moment that the picture itself shows."""
    return (grab.captured_ns // 1_000_000 - read_counter(grab.pixels.bgr()) + 2**31) % 2**32 - 2**31


class Reading:
    """Reads a source in a thread until it is told to stop, and notes when pictures came."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._stop = threading.Event()
        self.last_s = 0.0
        self.count = 0
        self.corrupt = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                if self._source.read() is None:
                    return
            except CorruptFrameError:
                self.corrupt += 1
                continue
            self.last_s = time.monotonic()
            self.count += 1

    def comes(self, count: int) -> bool:
        """Whether so many more pictures come."""
        before = self.count
        return wait_until(lambda: self.count >= before + count)

    def end(self) -> None:
        """Closes the source too."""
        self._stop.set()
        self._source.interrupt()
        self._thread.join(5)
        self._source.close()
