"""Collector: results for the program that embeds the engine, through a ring of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from edge_engine.ledger import Counts
from edge_engine.outputs.output import Health
from edge_engine.result import Result
from edge_engine.ring import Policy, Ring, RingClosed
from edge_engine.slots import ResultSlot

_SLOTS = 3


class Collector:
    """Live: the iterating program always gets the newest result. Lossless: the engine waits for it."""

    name, alarm = "collector", ""

    def __init__(self, policy: Policy) -> None:
        self._ring = Ring([ResultSlot() for _ in range(_SLOTS)], policy)

    def publish(self, result: Result, counts: Counts) -> None:
        try:
            slot = self._ring.acquire()
        except RingClosed:  # nobody iterates any more
            return
        slot.result = result
        self._ring.commit(slot)

    def beat(self, health: Mapping[str, Health]) -> None:
        pass

    def results(self) -> Iterator[Result]:
        """Ends when the engine does. One thread iterates."""
        while True:
            try:
                slot = self._ring.take()
            except RingClosed:
                return
            assert slot is not None
            assert slot.result is not None
            result, slot.result = slot.result, None
            self._ring.release(slot)
            yield result

    def close(self) -> None:
        self._ring.close()

    def leave(self) -> None:
        """Called by the thread that stops the engine: from now on nobody waits for anybody."""
        self._ring.abort()
