"""Publish: an event outlives the result that was too old to be published."""

from __future__ import annotations

from edge_engine.clock import NS_PER_S, monotonic_ns
from edge_engine.counting import Counted, Event
from edge_engine.frame import Frame
from edge_engine.outputs.collector import Collector
from edge_engine.result import Objects, Result
from edge_engine.ring import Policy, Ring
from edge_engine.slots import ResultSlot
from edge_engine.stages.publish import Publish
from edge_engine.stages.record import StreamRecord
from edge_engine.state import StreamStatus


def result(seq: int, age_s: int) -> Result:
    captured_ns = monotonic_ns() - age_s * NS_PER_S
    event = Event(seq + 1, "entered", "door", 7, "person", 0.9, (1, 2, 3, 4), seq, captured_ns, 0, 200.0)
    frame = Frame("front", seq, captured_ns, 0, (640, 480), None)
    counted = Counted(events=(event,))
    return Result(frame, Objects.none(), (), "m", "s", captured_ns + NS_PER_S, counted=counted)


def test_events_of_stale_results_come_with_the_next_fresh_one() -> None:
    source = Ring([ResultSlot() for _ in range(8)])
    record, collector = StreamRecord(StreamStatus("front")), Collector(Policy.LOSSLESS)
    publish = Publish(source, [collector], {"front": record}, Policy.LIVE)
    for seq, age_s in enumerate([0, 9, 9, 0]):
        record.ledger.captured(seq)
        slot = source.acquire()
        slot.result = result(seq, age_s)
        source.commit(slot)
        publish.step()
    publish.finish()
    numbers = [[event.number for event in each.events] for each in collector.results()]
    assert numbers == [[1], [2, 3, 4]]
    assert record.ledger.counts().dropped["stale"] == 2
