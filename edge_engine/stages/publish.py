"""Publish: the last look at a result's age, then out to every output.

Beside that the outputs are told how the streams are: every now and then, and when one's state changes, at
once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edge_engine.clock import NS_PER_MS, NS_PER_S, monotonic_ns
from edge_engine.ledger import Cause
from edge_engine.outputs.output import Health, Output
from edge_engine.result import Result
from edge_engine.ring import Policy, Ring
from edge_engine.slots import ResultSlot
from edge_engine.stages.record import StreamRecord
from edge_engine.viewfinder import View

_BEAT_NS = 50 * NS_PER_MS


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
        if slot is None or monotonic_ns() >= self._next_beat_ns:
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
