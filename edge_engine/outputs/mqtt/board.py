"""Board: what retained topics should say, and what the broker was last told."""

from __future__ import annotations

from collections.abc import Iterator

from edge_engine.clock import NS_PER_MS


class Board:
    """Only the newest wish of a topic is kept, so that a broker that was away gets what is true now."""

    def __init__(self, interval_ms: int) -> None:
        """A topic set with `is_paced` is told anew at most so often."""
        self._interval_ns = interval_ms * NS_PER_MS
        self._wanted: dict[str, bytes] = {}
        self._told: dict[str, tuple[bytes, int]] = {}
        self._due: dict[str, None] = {}
        self._paced: set[str] = set()

    def __contains__(self, topic: str) -> bool:
        return topic in self._wanted

    def set(self, topic: str, payload: bytes, *, is_paced: bool = False) -> None:
        self._wanted[topic] = payload
        if is_paced:
            self._paced.add(topic)
        if self._told.get(topic, (None, 0))[0] == payload:
            self._due.pop(topic, None)
        else:
            self._due[topic] = None

    def forget(self) -> None:
        """Another connection: perhaps another broker, which knows nothing."""
        self._told.clear()
        self._due = dict.fromkeys(self._wanted)

    def due(self, now_ns: int) -> Iterator[tuple[str, bytes]]:
        """What to tell; `told` what was. Who is available comes last: what that makes valid is there then."""
        for topic in sorted(self._due, key=lambda topic: topic.endswith("/available")):
            _, before_ns = self._told.get(topic, (None, now_ns - self._interval_ns))
            if topic not in self._paced or now_ns - before_ns >= self._interval_ns:
                yield topic, self._wanted[topic]

    def told(self, topic: str, payload: bytes, now_ns: int) -> None:
        self._told[topic] = payload, now_ns
        del self._due[topic]
