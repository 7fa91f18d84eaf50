"""Heartbeats: which health messages are due."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from edge_engine.clock import monotonic_ns
from edge_engine.outputs.output import Health
from edge_engine.outputs.rows import health_of
from edge_engine.state import StreamState
from edge_engine.wire import HEARTBEAT_NS, HealthMessage


class Heartbeats:
    """Each stream's twice a second, and at once when its state changes. The publish thread's."""

    def __init__(self, session: str) -> None:
        self._session = session
        self._next_ns = 0
        self._told: dict[str, tuple[StreamState, bool]] = {}

    def due(self, health: Mapping[str, Health]) -> Iterator[HealthMessage]:
        now_ns = monotonic_ns()
        is_due = now_ns >= self._next_ns
        if is_due:
            self._next_ns = now_ns + HEARTBEAT_NS
        for stream, of_stream in health.items():
            state = of_stream.status.state, of_stream.is_paused
            if is_due or self._told.get(stream) != state:
                self._told[stream] = state
                yield health_of(stream, self._session, now_ns, of_stream)
