"""The loop: fifty times a second, look, decide, command."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from edge_engine import Subscriber
from edge_engine.clock import NS_PER_S, monotonic_ns
from edge_engine.wire import ObjectRow
from tools.follow.robots import Driver
from tools.follow.safety import Permission, permission
from tools.follow.steering import STOP, Command, Seen, seen, steer
from tools.follow.target import Target

PERIOD_NS = NS_PER_S // 50


class Tick(msgspec.Struct, frozen=True):
    """One turn of the loop. `commanded_ns`: when the motors got the `command`, by CLOCK_MONOTONIC; `reason`:
    why they stand still. `captured_ns`: of the picture that allowed it; `age_ms`: of the newest one;
    `skipped`: turns before this one that the loop was too late for.
    """

    commanded_ns: int
    skipped: int
    reason: str
    captured_ns: int | None
    age_ms: float | None
    track_id: int | None
    person: Seen | None
    command: Command


class Decision(NamedTuple):
    command: Command
    reason: str = ""
    row: ObjectRow | None = None
    person: Seen | None = None


def ticks(period_ns: int = PERIOD_NS) -> Iterator[int]:
    """Comes back at multiples of the period by CLOCK_MONOTONIC, so without drift; gives how many of them it
    was too late for since the last time."""
    deadline_ns = monotonic_ns()
    while True:
        late_ns = monotonic_ns() - deadline_ns
        if late_ns < 0:
            time.sleep(-late_ns / NS_PER_S)
        skipped = max(0, late_ns) // period_ns
        yield skipped
        deadline_ns += (1 + skipped) * period_ns


def decide(allowed: Permission, target: Target, keep_m: float) -> Decision:
    if allowed.result is None:
        return Decision(STOP, allowed.reason)
    row = target.find(allowed.result)
    if row is None:
        is_tracked = all(each.track_id is not None for each in allowed.result.objects)
        missing = f"no confirmed {target.label} in sight"
        return Decision(STOP, missing if is_tracked else "no ids: the engine's stream needs tracking: {}")
    person = seen(row, allowed.result.size)
    return Decision(steer(person, keep_m, allowed.expires_ns), "", row, person)


def follow(
    subscriber: Subscriber, driver: Driver, *, label: str, max_age_ms: float, keep_m: float
) -> Iterator[Tick]:
    """What was done, turn by turn, for as long as somebody asks for the next."""
    target = Target(label)
    for skipped in ticks():
        allowed = permission(subscriber, max_age_ms)
        command, reason, row, person = decide(allowed, target, keep_m)
        now_ns = monotonic_ns()
        held = driver.obey(command, now_ns)
        yield Tick(
            commanded_ns=now_ns,
            skipped=skipped,
            reason=reason if held == command else "the command came too late",
            captured_ns=None if allowed.result is None else allowed.result.captured_ns,
            age_ms=subscriber.status().age_ms,
            track_id=None if row is None else row.track_id,
            person=person,
            command=held,
        )
