"""Measure: runs the engine in a process of its own, receives what it publishes, and watches both."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import NamedTuple

import msgspec

from edge_engine.bench import allocations
from edge_engine.bench.machine import Condition, condition
from edge_engine.bench.subject import Introduction, Snapshot
from edge_engine.client import Subscriber
from edge_engine.clock import NS_PER_S, monotonic_ns
from edge_engine.config import Config
from edge_engine.errors import EdgeEngineError, ProviderError, SourceError, UsageError

_ERRORS: dict[int, type[EdgeEngineError]] = {2: UsageError, 3: SourceError, 4: ProviderError}
_LOOK_S = 0.25
_LEAVE_S = 5


class Arrival(NamedTuple):
    """A result's way to the subscriber, in nanoseconds of the machine's monotonic clock."""

    stream: str
    captured_ns: int
    received_ns: int


@dataclass(slots=True)
class Run:
    """All that was seen of a run. `first` is the index of the snapshot at which the measured time begins."""

    spawned_ns: int
    introduction: Introduction
    snapshots: list[Snapshot] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    first: int = 0


def run_subject(
    config: Config, warmup_s: float, seconds: float, on_progress: Callable[[float], None], *, receive: bool
) -> Run:
    """`on_progress` is told now and then how many seconds have gone since the first results.

    `receive` subscribes to what is published. Raises what the engine could not be started with, or died of.
    """
    with tempfile.TemporaryDirectory(prefix="edge-engine-bench-") as folder:
        spawned_ns = monotonic_ns()
        child = _Child(config, Path(folder))
        try:
            run = Run(spawned_ns, msgspec.json.decode(child.first_line(), type=Introduction))
            endpoint = run.introduction.endpoint
            if receive and endpoint is not None:
                with Subscriber(endpoint) as subscriber:
                    _watch(run, child, warmup_s, seconds, on_progress, lambda: _receive(run, subscriber))
            else:
                _watch(run, child, warmup_s, seconds, on_progress, lambda: time.sleep(_LOOK_S))
        finally:
            child.close()
    return run


def _watch(
    run: Run,
    child: _Child,
    warmup_s: float,
    seconds: float,
    on_progress: Callable[[float], None],
    pass_time: Callable[[], None],
) -> None:
    """Until there are snapshots at the measured time's beginning and end."""
    while not (run.first and _seconds(run, run.first) >= seconds - _LOOK_S):
        pass_time()
        for line in child.lines():
            run.snapshots.append(msgspec.json.decode(line, type=Snapshot))
            run.conditions.append(condition())
            since_s = _since_first_results_s(run.snapshots[-1])
            on_progress(since_s)
            if not run.first and since_s >= warmup_s and run.snapshots[-1].frame_bytes:
                run.first = len(run.snapshots) - 1


def _seconds(run: Run, since: int) -> float:
    return (run.snapshots[-1].at_ns - run.snapshots[since].at_ns) / NS_PER_S


def _since_first_results_s(snapshot: Snapshot) -> float:
    """0 before every stream has published."""
    firsts = [stream.first_published_ns for stream in snapshot.streams.values()]
    return (snapshot.at_ns - max(firsts)) / NS_PER_S if all(firsts) else 0.0


def _receive(run: Run, subscriber: Subscriber) -> None:
    until_ns = monotonic_ns() + int(_LOOK_S * NS_PER_S)
    for result in subscriber.results(timeout_s=_LOOK_S):
        received_ns = monotonic_ns()
        run.arrivals.append(Arrival(result.stream, result.captured_ns, received_ns))
        if received_ns >= until_ns:
            return


class _Child:
    """The subject's process, and what it has said so far."""

    def __init__(self, config: Config, folder: Path) -> None:
        self._errors = (folder / "stderr").open("w+b")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "edge_engine.bench.subject"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=allocations.environment(allocations.build(folder)),
        )
        self._said: SimpleQueue[bytes] = SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(config))
        self._process.stdin.close()

    def _listen(self) -> None:
        """An empty line is the end."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._said.put(line)
        self._said.put(b"")

    def first_line(self) -> bytes:
        return self._said.get() or self._fail()

    def lines(self) -> list[bytes]:
        """Those since the last call. Raises the child's error once it has ended."""
        found = []
        while True:
            try:
                found.append(self._said.get_nowait() or self._fail())
            except Empty:
                return found

    def _fail(self) -> bytes:
        code = self._process.wait()
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip().splitlines()
        if code == 0:
            raise SourceError("the source ended before the measured time was over; measure for less long")
        raise _ERRORS.get(code, EdgeEngineError)(said[-1] if said else f"the engine died with code {code}")

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(_LEAVE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()
