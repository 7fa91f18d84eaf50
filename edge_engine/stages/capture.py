"""Capture: one thread per stream reads its source and stamps, numbers and counts every frame."""

from __future__ import annotations

from edge_engine.clock import monotonic_ns
from edge_engine.errors import CorruptFrameError
from edge_engine.frame import Frame
from edge_engine.ledger import Cause, Ledger
from edge_engine.ring import Ring, RingClosed
from edge_engine.slots import FrameSlot
from edge_engine.sources.source import Source


class Capture:
    """`frames` ends the stream after so many; None never does."""

    def __init__(
        self, stream: str, source: Source, output: Ring[FrameSlot], ledger: Ledger, frames: int | None
    ) -> None:
        self.name = f"{stream}/capture"
        self._stream = stream
        self._source = source
        self._output = output
        self._ledger = ledger
        self._frames = frames
        self._seq = 0
        self._is_open = False

    def step(self) -> None:
        if not self._is_open:
            self._source.open()
            self._is_open = True
        if self._seq == self._frames:
            raise RingClosed
        slot = self._output.acquire()
        slot.frame = self._read()
        if slot.frame is None:
            self._output.discard(slot)
        else:
            self._output.commit(slot)

    def _read(self) -> Frame | None:
        """The next frame; None for one that was counted as corrupt."""
        seq = self._seq
        try:
            grab = self._source.read()
        except CorruptFrameError as error:
            self._seq += 1
            self._ledger.captured(seq)
            self._ledger.dropped(seq, Cause.CORRUPT, str(error))
            return None
        if grab is None:
            raise RingClosed
        self._seq += 1
        self._ledger.captured(seq)
        work_ns = {"capture": monotonic_ns() - grab.captured_ns}
        return Frame(
            self._stream, seq, grab.captured_ns, grab.captured_utc_ns, grab.pixels.size, grab.pixels, work_ns
        )

    def finish(self) -> None:
        self._output.close()
        self._source.close()
