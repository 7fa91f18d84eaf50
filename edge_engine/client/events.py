"""Events: what came on `event/<stream>`, until the program takes it."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from edge_engine.client.sequence import Sequence, Verdict
from edge_engine.wire import EventMessage, EventRow

_MOST_WAITING = 1024


class StreamEvent(NamedTuple):
    stream: str
    event: EventRow


class Events:
    """Of one session. A program that doesn't take them loses the oldest, which count as missed."""

    def __init__(self) -> None:
        self._waiting: deque[StreamEvent] = deque()
        self._sequences: dict[str, Sequence] = {}
        self._overflowed = 0

    @property
    def missed(self) -> int:
        """As the numbers tell that came since the first one."""
        return self._overflowed + sum(each.lost for each in self._sequences.values())

    def note(self, message: EventMessage) -> bool:
        """Whether any of it is new."""
        sequence = self._sequences.setdefault(message.stream, Sequence())
        new = [event for event in message.events if sequence.judge(event.number) is not Verdict.REPEATED]
        self._waiting.extend(StreamEvent(message.stream, event) for event in new)
        while len(self._waiting) > _MOST_WAITING:
            self._waiting.popleft()
            self._overflowed += 1
        return bool(new)

    def take(self) -> list[StreamEvent]:
        taken = list(self._waiting)
        self._waiting.clear()
        return taken

    def forget(self) -> None:
        """Numbers begin anew with another session; what waits still happened."""
        self._overflowed = self.missed
        self._sequences.clear()
