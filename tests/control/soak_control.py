"""python -m tests.control.soak_control [--messages 1000000] [--turns 6] [--times 20]

An engine that is told nonsense, and by whom it shouldn't be: prints what is asked, and what was measured;
exit 1 on a miss. First what a flood costs the results. Then three of four messages are harmful ones in a
controller's session (every hundredth is a whole request for statistics, whose answer is waited for), the rest
whole commands in the session of one whose key was taken away. Last, keys are taken away, many times, and the
time until they are cut off is taken.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import psutil

from edge_engine.errors import SourceError
from edge_engine.keys import CLIENTS, CONTROLLERS, make_client_keys
from edge_engine.wire import ControlRequest, GetStatistics, encode_control
from tests.control.fuzzing import CHANGES, harmful
from tests.control.running import RunningEngine, comes, is_known
from tests.control.session import Session
from tests.rigs.peer import wait_until
from tests.sources import soak_network
from tests.sources.soak_network import report

_EVERY = 100
_TURN_S = 10.0


class Seen(NamedTuple):
    """By a subscriber, meanwhile: `changes` of what nobody was allowed to change."""

    results: int
    seconds: float
    longest_gap_s: float
    latency_ms: float
    changes: int


class Watch:
    """Subscribes in a thread of its own. Its socket lives there."""

    def __init__(self, engine: RunningEngine) -> None:
        self._engine = engine
        self._ending = threading.Event()
        self._seen: Seen | None = None
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        with self._engine.subscriber() as subscriber:
            assert comes(subscriber)
            assert is_known(subscriber)
            told, began_s = subscriber.described["front"], time.monotonic()
            gaps_s, ages_ms, changes, last_s = [0.0], list[float](), 0, began_s
            for result in subscriber.results(timeout_s=120):
                now_s = time.monotonic()
                gaps_s.append(now_s - last_s)
                last_s = now_s
                ages_ms.append(subscriber.age_ms(result) or 0.0)
                is_other = subscriber.described.get("front", told) != told or result.model != told.model
                is_paused = "front" in subscriber.health and subscriber.health["front"].paused
                changes += is_other or is_paused
                if self._ending.is_set():
                    break
            self._seen = Seen(
                len(ages_ms), last_s - began_s, max(gaps_s), statistics.median(ages_ms or [0]), changes
            )

    def __enter__(self) -> Callable[[], Seen]:
        self._thread.start()
        return self._result

    def _result(self) -> Seen:
        self._ending.set()
        self._thread.join()
        assert self._seen is not None
        return self._seen

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()


class Outcome(NamedTuple):
    sent: int
    asked: int
    answered: int
    seen: Seen
    is_alive: bool
    grown_mb: float


def fuzz(engine: RunningEngine, messages: int, seed: int = 0) -> Outcome:
    """The engine's controllers are desk and fired, whose key goes first."""
    assert engine.keys is not None
    process, allowed = psutil.Process(engine.process.pid), engine.keys / CONTROLLERS / "fired.key"
    with Session(engine, "desk") as desk, Session(engine, "fired") as fired:
        assert desk.ask(GetStatistics())
        assert fired.ask(GetStatistics())
        allowed.unlink()
        assert wait_until(lambda: fired.ask(GetStatistics(), 0.5) is None)
        before = process.memory_info().rss
        with Watch(engine) as seen:
            asked, answered = _send(desk, fired, messages, seed)
            # Both sessions have their turns, so that with these all of the other's is done with as well.
            assert all(desk.ask(GetStatistics()) for _ in range(_EVERY))
            assert fired.ask(GetStatistics(), 0.5) is None
            found = seen()
        grown_mb = (process.memory_info().rss - before) / 2**20
    return Outcome(messages, asked, answered, found, engine.process.poll() is None, grown_mb)


def _send(desk: Session, fired: Session, messages: int, seed: int) -> tuple[int, int]:
    """How many whole requests there were, and how many of them were answered."""
    asked = answered = 0
    unauthorised: Iterator[bytes] = (
        encode_control(ControlRequest(id=i, command=command)) for i, command in enumerate(cycle(CHANGES))
    )
    for number, message in zip(range(messages), harmful(seed), strict=False):
        if number % _EVERY == 0:
            asked += 1
            answered += (reply := desk.ask(GetStatistics())) is not None and reply.ok
        elif number % 4 == 3:
            fired.socket.send(next(unauthorised))
        else:
            desk.socket.send_multipart([message] * (1 + (number % 16 == 0)))
        while desk.socket.poll(0):
            desk.socket.recv()
    return asked, answered


def undisturbed(engine: RunningEngine, seconds: float) -> Seen:
    with Watch(engine) as seen:
        time.sleep(seconds)
        return seen()


def flooded(engine: RunningEngine, seconds: float, seed: int) -> Seen:
    with Session(engine, "desk") as desk, Watch(engine) as seen:
        until_s = time.monotonic() + seconds
        for message in harmful(seed):
            desk.socket.send(message)
            while desk.socket.poll(0):
                desk.socket.recv()
            if time.monotonic() > until_s:
                break
        return seen()


def slowdown(engine: RunningEngine, turns: int) -> None:
    """In turns, since what else runs on the machine changes."""
    pairs = [(undisturbed(engine, _TURN_S), flooded(engine, _TURN_S, turn)) for turn in range(turns)]
    ratios = [(loud.results / loud.seconds) / (quiet.results / quiet.seconds) for quiet, loud in pairs]
    ages = [loud.latency_ms - quiet.latency_ms for quiet, loud in pairs]
    measured = f"{statistics.median(ratios):.2f} of those without ({min(ratios):.2f} to {max(ratios):.2f})"
    what = f"results a second while one floods, {turns} turns of {_TURN_S:g} s"
    report(what, ">= 0.9", measured, holds=statistics.median(ratios) >= 0.9)
    measured = f"{statistics.median(ages):+.1f} ms ({min(ages):+.1f} to {max(ages):+.1f})"
    report("their age, median, with the flood", "(for information)", measured, holds=True)


def cut_off_s(is_let_in: Callable[[], bool], key: Path) -> float:
    """How long after its key was taken away somebody was last let in."""
    key.unlink()
    began_s = last_s = time.monotonic()
    while time.monotonic() - last_s < 2:
        if is_let_in():
            last_s = time.monotonic()
    return last_s - began_s


def revoked_listener_s(engine: RunningEngine, name: str) -> float:
    assert engine.keys is not None
    make_client_keys(engine.keys, name, CLIENTS)
    with engine.subscriber(name) as subscriber:
        assert comes(subscriber)
        before = subscriber.stats.received

        def hears() -> bool:
            nonlocal before
            time.sleep(0.002)
            subscriber.latest()
            had, before = before, subscriber.stats.received
            return before > had

        return cut_off_s(hears, engine.keys / CLIENTS / f"{name}.key")


@contextmanager
def let_in(engine: RunningEngine, name: str) -> Iterator[Session]:
    """A new key is seen within a moment."""
    while True:
        with Session(engine, name) as session:
            if session.ask(GetStatistics(), 1.0) is not None:
                yield session
                return


def revoked_controller_s(engine: RunningEngine, name: str) -> float:
    """Of the session that it has, and of new ones."""
    assert engine.keys is not None
    make_client_keys(engine.keys, name, CONTROLLERS)
    with let_in(engine, name) as session:
        anew = engine.controller(name, timeout_s=0.3)

        def obeys() -> bool:
            if session.ask(GetStatistics(), 0.3) is not None:
                return True
            try:
                anew.statistics()
            except SourceError:
                return False
            return True

        return cut_off_s(obeys, engine.keys / CONTROLLERS / f"{name}.key")


def told(outcome: Outcome, took_s: float) -> None:
    seen = outcome.seen
    sent = f"{outcome.sent} messages in {took_s:.0f} s"
    report(f"{sent}: crashes", "0", str(int(not outcome.is_alive)), holds=outcome.is_alive)
    changes = f"{seen.changes}, in {seen.results} results"
    report("unauthorised changes", "0", changes, holds=not seen.changes and seen.results > 0)
    answers = f"{outcome.answered} of {outcome.asked}"
    report("whole requests that were answered", "all", answers, holds=outcome.answered == outcome.asked)
    report("memory", "< 20 MB more", f"{outcome.grown_mb:+.1f} MB", holds=outcome.grown_mb < 20)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--turns", type=int, default=6)
    parser.add_argument("--times", type=int, default=20)
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder, RunningEngine(Path(folder), ["desk", "fired"]) as engine:
        slowdown(engine, arguments.turns)
        began_s = time.monotonic()
        outcome = fuzz(engine, arguments.messages)
        told(outcome, time.monotonic() - began_s)
        for what, revoked_s in (("listener", revoked_listener_s), ("controller", revoked_controller_s)):
            times_s = [revoked_s(engine, f"{what}-{number}") for number in range(arguments.times)]
            measured = f"median {statistics.median(times_s):.2f} s, at most {max(times_s):.2f}"
            report(
                f"a {what}'s key that is taken away, {arguments.times} times: cut off",
                "within 1 s",
                measured,
                holds=max(times_s) <= 1,
            )
    sys.exit(bool(soak_network.misses))


if __name__ == "__main__":
    main()
