"""Publish: a change of state is told at once; an event outlives the result that was too old to publish."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import pytest

from edge_engine.clock import NS_PER_S, monotonic_ns
from edge_engine.counting import Counted, Event
from edge_engine.frame import Frame
from edge_engine.ledger import Counts
from edge_engine.outputs.collector import Collector
from edge_engine.outputs.output import Health
from edge_engine.result import Objects, Result
from edge_engine.ring import Policy, Ring
from edge_engine.slots import ResultSlot
from edge_engine.stages import publish as publishing
from edge_engine.stages.publish import Publish
from edge_engine.stages.record import StreamRecord
from edge_engine.state import StreamState, StreamStatus
from tests.rigs.peer import PATIENCE_S, wait_until


def result(seq: int, age_s: int) -> Result:
    captured_ns = monotonic_ns() - age_s * NS_PER_S
    event = Event(seq + 1, "entered", "door", 7, "person", 0.9, (1, 2, 3, 4), seq, captured_ns, 0, 200.0)
    frame = Frame("front", seq, captured_ns, 0, (640, 480), None)
    counted = Counted(events=(event,))
    return Result(frame, Objects.none(), (), "m", "s", captured_ns + NS_PER_S, counted=counted)


class Told:
    """An output that keeps what it is told of the streams' states."""

    name, alarm = "told", ""

    def __init__(self) -> None:
        self.states: list[str] = []

    def publish(self, result: Result, counts: Counts) -> None:
        pass

    def beat(self, health: Mapping[str, Health]) -> None:
        self.states.append(health["front"].status.state.value)

    def close(self) -> None:
        pass


def test_a_change_of_state_is_told_without_waiting_for_a_result_or_the_next_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(publishing, "_BEAT_NS", 3600 * NS_PER_S)
    source = Ring([ResultSlot() for _ in range(2)])
    record, told = StreamRecord(StreamStatus("front")), Told()
    record.status.on_change = source.nudge
    publish = Publish(source, [told], {"front": record}, Policy.LIVE)
    running = threading.Thread(target=lambda: [publish.step() for _ in range(2)], daemon=True)
    running.start()
    record.status.move(StreamState.RUNNING)
    assert wait_until(lambda: told.states == ["running"])
    record.status.move(StreamState.STALLED, "no picture for 150 ms")
    running.join(PATIENCE_S)
    assert told.states == ["running", "stalled"]


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
