"""Publish: the last look at a result's age, then out to every output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from edge_engine.clock import NS_PER_MS, NS_PER_S, monotonic_ns
from edge_engine.counting import Event
from edge_engine.histogram import Histogram
from edge_engine.ledger import Cause, Ledger
from edge_engine.outputs.output import Health, Output
from edge_engine.result import Result
from edge_engine.ring import Policy, Ring
from edge_engine.slots import ResultSlot
from edge_engine.state import StreamStatus
from edge_engine.viewfinder import View, Viewfinder

STAGES = ("capture", "preprocess", "infer", "postprocess", "publish")
_BEAT_NS = 50 * NS_PER_MS
# What takes so long, and so many times as long as usual, is a stage that hangs. Until there is a usual time,
# a model may take longer: it is its first frame.
_HANGS_AFTER_NS, _HANGS_AFTER_TIMES = 800 * NS_PER_MS, 4
_HANGS_AT_FIRST_NS = 5 * NS_PER_S


@dataclass(slots=True)
class StreamRecord:
    """A stream's state, ledger and timings. The publish thread writes the timings; anybody may read.
    `unsent_events`: of results that were stale; the next one that isn't takes them along.
    """

    status: StreamStatus
    ledger: Ledger = field(default_factory=Ledger)
    viewfinder: Viewfinder = field(default_factory=Viewfinder)
    latency: Histogram = field(default_factory=Histogram)
    stages: dict[str, Histogram] = field(default_factory=lambda: {name: Histogram() for name in STAGES})
    first_published_ns: int = 0
    first_objects_ns: int = 0
    last_published_ns: int = 0
    last_result: Result | None = None
    unsent_events: tuple[Event, ...] = ()

    def hangs(self) -> bool:
        """Whether some stage hangs: then the stream has no heartbeat."""
        stuck_ns = self.ledger.stuck_ns()
        if stuck_ns < _HANGS_AFTER_NS:
            return False
        return stuck_ns >= (_HANGS_AFTER_TIMES * self._usual_ns() or _HANGS_AT_FIRST_NS)

    def _usual_ns(self) -> float:
        """A frame's latency, or the time from one result to the next, whichever is longer."""
        results = self.ledger.counts().published
        between_ns = (self.last_published_ns - self.first_published_ns) / max(1, results - 1)
        return max(self.latency.percentiles().p50 * NS_PER_MS, between_ns)


class Publish:
    """Live: a result older than its max_age_ms is dropped as stale, fresh or silent. Lossless: none is."""

    def __init__(
        self,
        source: Ring[ResultSlot],
        outputs: Sequence[Output],
        streams: Mapping[str, StreamRecord],
        policy: Policy,
    ) -> None:
        self.name = "publish"
        self._input = source
        self._outputs = outputs
        self._streams = streams
        self._policy = policy
        self._next_beat_ns = 0

    def step(self) -> None:
        slot = self._input.take(_BEAT_NS / NS_PER_S)
        if slot is not None:
            assert slot.result is not None
            result, slot.result = slot.result, None
            self._input.release(slot)
            self._publish(result, self._streams[result.stream])
        if monotonic_ns() >= self._next_beat_ns:
            self._beat()

    def _beat(self) -> None:
        self._next_beat_ns = monotonic_ns() + _BEAT_NS
        alarms = {output.name: output.alarm for output in self._outputs if output.alarm}
        health = {
            name: Health(
                record.ledger.counts(),
                record.status.now,
                record.status.missed,
                alarms,
                record.status.is_paused,
            )
            for name, record in self._streams.items()
            if not record.hangs()
        }
        for output in self._outputs:
            output.beat(health)

    def _publish(self, result: Result, record: StreamRecord) -> None:
        started_ns = monotonic_ns()
        if self._policy is Policy.LIVE and started_ns > result.valid_until_ns:
            record.ledger.dropped(result.seq, Cause.STALE)
            record.unsent_events += result.events
            return
        if record.unsent_events:
            result.counted = result.counted.after(record.unsent_events)
            record.unsent_events = ()
        result.published_ns = started_ns
        record.ledger.published(result.seq)
        counts = record.ledger.counts()
        for output in self._outputs:
            output.publish(result, counts)
        if record.viewfinder.is_wanted and result.frame.pixels is not None:
            record.viewfinder.show(View(result.frame, result, counts))
        self._note(result, record, monotonic_ns() - started_ns)

    def _note(self, result: Result, record: StreamRecord, publish_ns: int) -> None:
        result.frame.work_ns["publish"] = publish_ns
        for stage, work_ns in result.frame.work_ns.items():
            record.stages[stage].record(work_ns)
        record.latency.record(result.published_ns - result.frame.captured_ns)
        record.first_published_ns = record.first_published_ns or result.published_ns
        if not record.first_objects_ns and result.names():
            record.first_objects_ns = result.published_ns
        record.last_published_ns = result.published_ns
        record.last_result = result

    def finish(self) -> None:
        for output in self._outputs:
            output.close()
