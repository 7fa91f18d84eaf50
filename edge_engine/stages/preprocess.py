"""Preprocess: a frame's pixels into a slot of the model's input, in one resize.

It waits until an inference worker is free before it takes the newest frame (live), so that nothing is
prepared that a newer frame would overtake.
"""

from __future__ import annotations

from edge_engine.clock import monotonic_ns
from edge_engine.errors import CorruptFrameError
from edge_engine.frame import Frame
from edge_engine.ledger import Cause
from edge_engine.models.lineup import Lineup
from edge_engine.models.spec import InputSpec
from edge_engine.pixels import Image
from edge_engine.ring import Ring, RingClosed
from edge_engine.slots import Canvas, FrameSlot, TensorSlot
from edge_engine.stages.record import StreamRecord
from edge_engine.stillness import Stillness


class Preprocess:
    """One per stream, so that every stream waits its turn for a worker by itself."""

    def __init__(
        self,
        stream: str,
        models: Lineup,
        source: Ring[FrameSlot],
        output: Ring[TensorSlot],
        record: StreamRecord,
        stillness: Stillness,
        *,
        keep_pixels: bool,
    ) -> None:
        self.name = f"{stream}/preprocess"
        self._models = models
        self._input = source
        self._output = output
        self._record = record
        self._stillness = stillness
        self._keep_pixels = keep_pixels

    def step(self) -> None:
        self._input.wait()
        slot = self._output.acquire()
        try:
            frame = self._take()
        except RingClosed:
            self._output.discard(slot)
            raise
        started_ns = monotonic_ns()
        try:
            slot.model = self._models.of(frame.size)
            painted = fill(slot.canvas, frame, slot.model.spec.input)
        except CorruptFrameError as error:
            self._record.status.note_decoding(frame.captured_ns, str(error))
            self._record.ledger.dropped(frame.seq, Cause.CORRUPT, str(error))
            self._output.discard(slot)
            return
        self._record.status.note_decoding(frame.captured_ns)
        frame.doubt = self._stillness.judge(painted, frame.captured_ns)
        if not (self._keep_pixels or self._record.viewfinder.is_wanted):
            frame.pixels = None
        frame.work_ns["preprocess"] = monotonic_ns() - started_ns
        slot.frame = frame
        self._output.commit(slot)

    def _take(self) -> Frame:
        taken = self._input.take()
        assert taken is not None
        assert taken.frame is not None
        frame, taken.frame = taken.frame, None
        self._input.release(taken)
        return frame

    def finish(self) -> None:
        self._output.close()


def fill(canvas: Canvas, frame: Frame, spec: InputSpec) -> Image:
    """Lay the picture on a canvas of the model's input, and show where; padding is kept, not redrawn."""
    assert frame.pixels is not None
    box = spec.lay(frame.size)
    place = (box.top, box.top + box.height, box.left, box.left + box.width)
    picture = canvas.tensor[0]
    if canvas.filled not in (None, place):
        picture[:] = spec.pad
    canvas.filled = place
    top, bottom, left, right = place
    painted: Image = picture[top:bottom, left:right]
    frame.pixels.resize_into(painted, spec.colour, box.region)
    return painted
