"""Safety: the one rule by which a robot may move. Everything else stands still."""

from __future__ import annotations

from typing import NamedTuple

from edge_engine import Subscriber
from edge_engine.clock import NS_PER_MS, monotonic_ns
from edge_engine.wire import ResultMessage


class Permission(NamedTuple):
    """To act on the `result` until `expires_ns` of our CLOCK_MONOTONIC; without one, the `reason` why not."""

    result: ResultMessage | None
    reason: str
    expires_ns: int = 0


def permission(subscriber: Subscriber, max_age_ms: float) -> Permission:
    """Only while the stream is alive, fresh, quick enough and valid, and the picture's light is young enough.

    What is commanded by a picture ends when that picture is too old, also when this loop doesn't come back in
    time to say so: `expires_ns` goes with the command to the motors, as to a driver with a watchdog.
    """
    now_ns = monotonic_ns()  # before all that follows, which takes time of its own
    status = subscriber.status()
    if not status:
        return Permission(None, status.reason)
    result = subscriber.latest(max_age_ms)
    age_ms = None if result is None else subscriber.age_ms(result)
    if result is None or age_ms is None:
        return Permission(None, f"the newest picture is older than {max_age_ms:g} ms")
    lives_ms = min(max_age_ms, (result.valid_until_ns - result.captured_ns) / NS_PER_MS)
    return Permission(result, "", now_ns + int((lives_ms - age_ms) * NS_PER_MS))
