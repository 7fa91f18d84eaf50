"""Capture: one thread per stream reads its source and stamps, numbers and counts every frame."""

from __future__ import annotations

from edge_engine.clock import NS_PER_MS, monotonic_ns
from edge_engine.errors import CorruptFrameError, one_line
from edge_engine.frame import Frame
from edge_engine.ledger import Cause
from edge_engine.ring import Ring, RingClosed
from edge_engine.slots import FrameSlot
from edge_engine.sources.source import Grab, Source
from edge_engine.stages.record import StreamRecord
from edge_engine.state import StreamState
from edge_engine.viewfinder import View

_LONGEST_REASON = 1000


class Capture:
    """`frames` ends the stream after so many; None never does. What ends it is kept in `status`. A paused
    stream's camera is read all the same, so that its first picture afterwards is a fresh one."""

    def __init__(
        self,
        stream: str,
        source: Source,
        output: Ring[FrameSlot],
        record: StreamRecord,
        frames: int | None,
    ) -> None:
        self.name = f"{stream}/capture"
        self._stream = stream
        self._source = source
        self._output = output
        self._ledger = record.ledger
        self._status = record.status
        self._frames = frames
        self._viewfinder = record.viewfinder
        self._seq = 0
        self._last_ns = 0
        self._is_open = False

    def step(self) -> None:
        try:
            self._step()
        except RingClosed:
            raise
        except Exception as error:
            self._status.move(StreamState.FAILED, one_line(error, _LONGEST_REASON))
            raise

    def _step(self) -> None:
        if not self._is_open:
            self._source.open()
            self._is_open = True
            self._status.describe(self._source.description)
        if self._seq == self._frames:
            raise RingClosed
        slot = self._output.acquire()
        slot.frame = self._read()
        if slot.frame is None:
            self._output.discard(slot)
        else:
            self._output.commit(slot)

    def _read(self) -> Frame | None:
        """The next frame; None for one that was counted as corrupt or paused."""
        seq = self._seq
        try:
            grab = self._source.read()
            self._status.missed = self._source.missed
            self._check_stamp(grab)
        except CorruptFrameError as error:
            self._seq += 1
            self._ledger.captured(seq)
            self._ledger.dropped(seq, Cause.CORRUPT, str(error))
            return None
        if grab is None:
            raise RingClosed
        if self._status.now.state is StreamState.OPENING:  # from then on a live source tells its state itself
            self._status.move(StreamState.RUNNING)
        self._seq += 1
        self._ledger.captured(seq)
        work_ns = {"capture": monotonic_ns() - grab.captured_ns}
        frame = Frame(
            self._stream,
            seq,
            grab.captured_ns,
            grab.captured_utc_ns,
            grab.pixels.size,
            grab.pixels,
            work_ns,
            media_ns=grab.media_ns,
        )
        if self._status.is_paused:
            self._pass_over(frame)
            return None
        return frame

    def _pass_over(self, frame: Frame) -> None:
        self._ledger.dropped(frame.seq, Cause.PAUSED)
        if self._viewfinder.is_wanted:
            self._viewfinder.show(View(frame, None, None))

    def _check_stamp(self, grab: Grab | None) -> None:
        """A picture that is no newer than the one before it would be taken for news, and one from the future
        for fresher than it is, and all that follow it for older than it.
        """
        if grab is None:
            return
        ahead_ns = grab.captured_ns - monotonic_ns()
        if ahead_ns > 0:
            raise CorruptFrameError(f"stamped {ahead_ns / NS_PER_MS:.1f} ms in the future")
        behind_ns = self._last_ns - grab.captured_ns
        if behind_ns >= 0:
            how = "at the same moment as" if behind_ns == 0 else f"{behind_ns / NS_PER_MS:.1f} ms before"
            raise CorruptFrameError(f"stamped {how} the picture before it")
        self._last_ns = grab.captured_ns

    def finish(self) -> None:
        if not self._status.now.is_over:
            self._status.move(StreamState.ENDED)
        self._output.close()
        self._source.close()
