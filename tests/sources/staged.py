"""A camera whose every connection does what the test says: the other side of a LiveSource."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from edge_engine.clock import monotonic_ns, utc_ns
from edge_engine.pixels import BgrPixels
from edge_engine.sources.live import LiveSource, Patience
from edge_engine.sources.source import Grab
from edge_engine.sources.uri import SourceUri
from edge_engine.state import StreamStatus
from tests.rigs.peer import PATIENCE_S

SIZE = (64, 48)


class Connection:
    """`number`: how many there were before it. Its thread alone calls all but `interrupt`, as the engine
    promises; that it does is noted in `wrongs`.
    """

    is_live = True

    def __init__(self, number: int, act: Act) -> None:
        self.number = number
        self.description = f"connection {number}"
        self.missed = 0
        self.closes = 0
        self.interrupted = threading.Event()
        self.wrongs: list[str] = []
        self._act = act
        self._thread: threading.Thread | None = None

    def expected_size(self) -> tuple[int, int]:
        return SIZE

    def open(self) -> None:
        self._thread = threading.current_thread()
        self._act.open(self)

    def read(self) -> Grab | None:
        if self._thread is not threading.current_thread() or self.closes:
            self.wrongs.append("read by another thread, or closed already")
        return self._act.read(self)

    def close(self) -> None:
        self.closes += 1
        self._act.close(self)

    def interrupt(self) -> None:
        self.interrupted.set()


class Act:
    """What a connection does: it opens at once, and gives pictures at a rate until it is interrupted."""

    def __init__(self, fps: float = 50) -> None:
        self._period_s = 1 / fps

    def open(self, connection: Connection) -> None:
        pass

    def read(self, connection: Connection) -> Grab | None:
        return None if connection.interrupted.wait(self._period_s) else picture()

    def close(self, connection: Connection) -> None:
        pass


class Told(Act):
    """Gives what the test puts in: pictures, an end (None), errors."""

    def __init__(self, *first: Grab | Exception | None) -> None:
        self.queue: queue.Queue[Grab | Exception | None] = queue.Queue()
        for item in first:
            self.queue.put(item)

    def read(self, connection: Connection) -> Grab | None:
        while not connection.interrupted.is_set():
            try:
                item = self.queue.get(timeout=0.01)
            except queue.Empty:
                continue
            if isinstance(item, Exception):
                raise item
            return item
        return None


class Hangs(Act):
    """In `where`, in a read of a real pipe to which nobody writes, until `let_go`: no `interrupt` ends it."""

    def __init__(self, where: str, after: int = 0, fps: float = 50) -> None:
        super().__init__(fps)
        self._where, self._after = where, after
        self._read_end, self._write_end = os.pipe()
        self.hangs = threading.Event()

    def _hang(self) -> None:
        own_end = os.dup(self._read_end)  # each connection's own
        self.hangs.set()
        os.read(own_end, 1)
        os.close(own_end)

    def let_go(self) -> None:
        os.close(self._write_end)
        os.close(self._read_end)

    def open(self, connection: Connection) -> None:
        if self._where == "open":
            self._hang()

    def read(self, connection: Connection) -> Grab | None:
        self._after -= 1
        if self._where == "read" and self._after < 0:
            self._hang()
        return super().read(connection)

    def close(self, connection: Connection) -> None:
        if self._where == "close":
            self._hang()


class Fails(Act):
    """In `where`, with this error."""

    def __init__(self, where: str, error: Exception) -> None:
        super().__init__()
        self._where, self._error = where, error

    def _fail(self, where: str) -> None:
        if where == self._where:
            raise self._error

    def open(self, connection: Connection) -> None:
        self._fail("open")

    def read(self, connection: Connection) -> Grab | None:
        self._fail("read")
        return super().read(connection)

    def close(self, connection: Connection) -> None:
        self._fail("close")


class Camera:
    """Its first connection does the first act, the next one the next, and all others the last."""

    def __init__(self, *acts: Act) -> None:
        self.acts: Sequence[Act] = acts
        self.connections: list[Connection] = []

    def connect(self) -> Connection:
        number = len(self.connections)
        connection = Connection(number, self.acts[min(number, len(self.acts) - 1)])
        self.connections.append(connection)
        return connection

    def live(
        self, patience: Patience | None = None, *, is_open: bool = True
    ) -> tuple[LiveSource, StreamStatus]:
        status = StreamStatus("a")
        source = LiveSource(self.connect, "camera", patience or Patience(30_000), status)
        if is_open:
            source.open()
        return source, status

    def let_go(self) -> None:
        for act in self.acts:
            if isinstance(act, Hangs):
                act.let_go()


Cameras: TypeAlias = dict[str, Camera]
CAMERAS: Cameras = {}
"""What `camera:NAME` means to an engine, once `StagedSource` stands for its cameras."""


class StagedSource:
    """Called as the engine calls any kind of source; what it makes is a Connection."""

    is_live = True

    def __new__(cls, uri: SourceUri, *, pace: bool, loop: bool) -> Connection:  # type: ignore[misc]
        return CAMERAS[uri.target].connect()


def picture(age_ms: float = 0) -> Grab:
    """A new one, captured so long ago."""
    image = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    age_ns = int(age_ms * 1e6)
    return Grab(BgrPixels(image), monotonic_ns() - age_ns, utc_ns() - age_ns)


def in_thread(do: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=do, daemon=True, name="test/capture")
    thread.start()
    return thread


def readers() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.endswith("/reader")]


def joined(thread: threading.Thread) -> bool:
    thread.join(PATIENCE_S)
    return not thread.is_alive()


def seconds(do: Callable[[], object]) -> float:
    started = time.monotonic()
    do()
    return time.monotonic() - started
