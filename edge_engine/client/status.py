"""Status: whether a stream is to be trusted, and if not, why."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from edge_engine.clock import NS_PER_S

_WINDOW_NS = 2 * NS_PER_S


@dataclass(frozen=True, slots=True)
class Status:
    """`alive`: the engine's heartbeat for this stream comes. `fresh`: there is a result that is still good.
    `rate_ok`: results come as often as `min_fps` asks. `valid`: the camera runs, the stream isn't paused, and
    the engine doesn't doubt its pictures. `reason`: the first of these that doesn't hold, in words. `age_ms`:
    of the newest result since its light was captured, at most; None without one. Only when all four hold is
    it true.
    """

    alive: bool
    fresh: bool
    rate_ok: bool
    valid: bool
    reason: str = ""
    age_ms: float | None = None

    def __bool__(self) -> bool:
        return self.alive and self.fresh and self.rate_ok and self.valid


class Rate:
    """Results a second, of the last two, by the publisher's own count and stamps: how often the client looks
    makes no difference.
    """

    def __init__(self) -> None:
        self._published: deque[tuple[int, int]] = deque()

    def note(self, number: int, published_ns: int) -> None:
        """The publisher's count with a result, and when that was published."""
        self._published.append((number, published_ns))
        while published_ns - self._published[0][1] > _WINDOW_NS:
            self._published.popleft()

    def fps(self, now_ns: int) -> float:
        """By now, on the publisher's clock; a stream that has ended slows down to 0."""
        inside = [each for each in self._published if now_ns - each[1] <= _WINDOW_NS]
        if not inside or now_ns <= inside[0][1]:
            return 0.0
        (first, since_ns), (last, _) = inside[0], inside[-1]
        return (last - first) * NS_PER_S / (now_ns - since_ns)
