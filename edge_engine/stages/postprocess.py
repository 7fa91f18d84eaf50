"""Postprocess: raw outputs into answers in source pixels, in the order of the frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from edge_engine.choosing import Choices
from edge_engine.clock import NS_PER_MS, monotonic_ns
from edge_engine.counting import Counted
from edge_engine.frame import Frame
from edge_engine.geometry.camera import CameraGeometry
from edge_engine.ledger import Cause, Ledger
from edge_engine.models.answers import InferenceError, answer_of
from edge_engine.models.spec import ModelSpec
from edge_engine.result import Answer, Objects, Result
from edge_engine.ring import Policy, Ring
from edge_engine.slots import OutputSlot, ResultSlot
from edge_engine.tracking.tracker import Tracker
from edge_engine.zones.counter import Counter


class StreamTerms(NamedTuple):
    """What postprocessing must know of a stream. Its thread alone uses what measures, tracks and counts."""

    ledger: Ledger
    max_age_ms: int
    tracker: Tracker | None = None
    geometry: CameraGeometry | None = None
    counter: Counter | None = None


class Postprocess:
    """Lossless: a result waits until all before it are done. Live: a result that is overtaken is dropped."""

    def __init__(
        self,
        choices: Choices,
        source: Ring[OutputSlot],
        output: Ring[ResultSlot],
        streams: Mapping[str, StreamTerms],
        policy: Policy,
        session: str,
    ) -> None:
        self.name = "postprocess"
        self._choices = choices
        self._input = source
        self._output = output
        self._streams = streams
        self._policy = policy
        self._session = session
        self._early: dict[int, tuple[OutputSlot, int]] = {}
        self._next_order = 0
        self._last_seq = dict.fromkeys(streams, -1)

    def step(self) -> None:
        slot = self._input.take()
        assert slot is not None
        rows = range(len(slot.frames))
        if self._policy is Policy.LIVE:
            for row in rows:
                self._handle(slot, row)
            return
        self._early.update((slot.orders[row], (slot, row)) for row in rows)
        while self._next_order in self._early:
            self._handle(*self._early.pop(self._next_order))
            self._next_order += 1

    def _handle(self, slot: OutputSlot, row: int) -> None:
        """Decode one frame's outputs and hand its result on, or drop it with its cause."""
        frame = slot.frames[row]
        ledger = self._streams[frame.stream].ledger
        if slot.error is not None:
            ledger.dropped(frame.seq, Cause.ERROR, slot.error)
            self._done_with_a_row(slot)
            return
        if frame.seq < self._last_seq[frame.stream]:
            self._done_with_a_row(slot)
            ledger.dropped(frame.seq, Cause.SUPERSEDED)
            return
        self._last_seq[frame.stream] = frame.seq
        started_ns, spec = monotonic_ns(), slot.model.spec
        try:
            answer = self._decode(slot, row, frame)
        except InferenceError as error:
            ledger.dropped(frame.seq, Cause.ERROR, str(error))
            return
        finally:
            self._done_with_a_row(slot)
        counted = self._count(frame, answer, spec)
        frame.work_ns["postprocess"] = monotonic_ns() - started_ns
        self._hand_on(frame, answer, spec, counted)

    def _done_with_a_row(self, slot: OutputSlot) -> None:
        slot.unread -= 1
        if slot.unread == 0:
            slot.frames = []
            self._input.release(slot)

    def _decode(self, slot: OutputSlot, row: int, frame: Frame) -> Answer:
        asked, spec = self._choices.of(frame.stream, slot.model), slot.model.spec
        thresholds, box = (asked.decoded_from, asked.iou_threshold), spec.input.lay(frame.size)
        answer = answer_of(asked.decoder, slot.of_row(row), thresholds, box, spec.labels)
        if not isinstance(answer, Objects):
            return answer
        terms = self._streams[frame.stream]
        if terms.tracker is not None:
            terms.tracker.adopt(asked.high, spec.labels)
            answer = terms.tracker.update(answer, frame.shown_ns)
        if terms.geometry is not None:
            answer.geometry = terms.geometry.measure(answer, spec.labels, frame.size)
        return answer

    def _count(self, frame: Frame, answer: Answer, spec: ModelSpec) -> Counted:
        counter = self._streams[frame.stream].counter
        if counter is None or not isinstance(answer, Objects):
            return Counted()
        return counter.update(answer, spec.labels, frame)

    def _hand_on(self, frame: Frame, answer: Answer, spec: ModelSpec, counted: Counted) -> None:
        valid_until_ns = frame.captured_ns + self._streams[frame.stream].max_age_ms * NS_PER_MS
        out = self._output.acquire()
        out.result = Result(
            frame, answer, spec.labels, spec.name, self._session, valid_until_ns, counted=counted
        )
        self._output.commit(out)

    def finish(self) -> None:
        self._output.close()
