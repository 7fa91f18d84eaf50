"""A machine with too much to do, and a camera that is well: prints what is asked, and what was measured.

python -m tests.sources.soak_load [--seconds 20]

The camera and the subscriber go before the rest where that may be asked for (as root), as if they were other
machines: only the engine lacks time. Limits of time need cgroups that may be written, of either version.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from edge_engine.client import Subscriber
from edge_engine.clock import NS_PER_MS, monotonic_ns
from edge_engine.wire import ResultMessage
from tests.rigs.peer import ROOT, Peer
from tests.sources import soak_network
from tests.sources.soak_network import report

MAX_AGE_MS = 500
FPS = 30
_PREFERRED_PRIORITY = 30  # above that of an engine's `realtime`, in a soak's configuration
ORDINARY = ("chrt", "--other", "0")
"""Before a command that is not to inherit the priority of who starts it."""
_STEP_S = 0.005
_SLACK_NS = 50 * NS_PER_MS
"""Between a result's publishing and its receipt, before it counts as kept from the client."""


@dataclass
class Seen:
    """By a subscriber, over the time of a load."""

    results: dict[int, ResultMessage] = field(default_factory=dict)
    states: Counter[str] = field(default_factory=Counter)
    reconnects: int = 0
    stale_ns: list[int] = field(default_factory=list)
    looks: int = 0

    def look(self, subscriber: Subscriber) -> None:
        newest = subscriber.latest()
        if newest is not None:
            self.results[newest.seq] = newest
        else:
            self.stale_ns.append(monotonic_ns())
        self.looks += 1
        health = subscriber.health.get("camera")
        if health is not None:
            self.states[health.state] += 1
            self.reconnects = health.reconnects

    def ages_ms(self) -> list[float]:
        return [(each.published_ns - each.captured_ns) / NS_PER_MS for each in self.results.values()]

    def false_stales(self) -> int:
        """Looks that found nothing although something good had been published."""
        good = [(each.published_ns + _SLACK_NS, each.valid_until_ns) for each in self.results.values()]
        return sum(any(begin <= at_ns < end for begin, end in good) for at_ns in self.stale_ns)


@contextlib.contextmanager
def hogs(count: int) -> Iterator[None]:
    """Processes that do nothing but calculate."""
    code = "while True: pass"
    running = [subprocess.Popen([*ORDINARY, sys.executable, "-c", code]) for _ in range(count)]
    try:
        yield
    finally:
        for hog in running:
            hog.kill()
            hog.wait()


@contextlib.contextmanager
def quota(pid: int, share: float) -> Iterator[None]:
    """The process gets so much of one core's time, in slices of 100 ms. OSError where that can't be had."""
    is_v2 = Path("/sys/fs/cgroup/cgroup.controllers").exists()
    root = Path("/sys/fs/cgroup") if is_v2 else Path("/sys/fs/cgroup/cpu")
    group = root / f"edge_engine_soak_{pid}"
    group.mkdir()
    try:
        limit = group / ("cpu.max" if is_v2 else "cpu.cfs_quota_us")
        limit.write_text(f"{int(share * 100_000)} 100000" if is_v2 else str(int(share * 100_000)))
        (group / "cgroup.procs").write_text(str(pid))
        yield
    finally:
        with contextlib.suppress(OSError):
            (root / "cgroup.procs").write_text(str(pid))
        with contextlib.suppress(OSError):
            group.rmdir()


@contextlib.contextmanager
def engine_on(camera: Peer, subscriber_at: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    config = folder / "load.yaml"
    config.write_text(
        f"streams:\n  camera:\n    source: zmq:tcp://127.0.0.1:{camera.port}\n"
        f"    max_age_ms: {MAX_AGE_MS}\n    open_deadline_ms: 30000\n    still_after_ms: null\n"
        f"outputs:\n  zeromq:\n    endpoint: {subscriber_at}\n"
    )
    command = [sys.executable, "-m", "edge_engine", "run", str(config), "--json"]
    engine = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield engine
    finally:
        engine.send_signal(signal.SIGCONT)
        engine.send_signal(signal.SIGINT)
        engine.communicate(timeout=60)


def preferred(pid: int) -> None:
    """Its threads go before all others, as a camera's hardware does, and the loop of a controller should; and
    so does what they start, but for ORDINARY. Nothing where that isn't allowed.
    """
    for thread in psutil.Process(pid).threads():
        with contextlib.suppress(PermissionError):
            os.sched_setscheduler(thread.id, os.SCHED_FIFO, os.sched_param(_PREFERRED_PRIORITY))


Load = Callable[[int], contextlib.AbstractContextManager[object]]


def under(load: Load, seconds: float, *, freezes_s: float = 0) -> tuple[Seen, ResultMessage, ResultMessage]:
    """What a subscriber saw for so long under it, the last result before and the last one at all."""
    with tempfile.TemporaryDirectory() as folder, Peer("zeromq_camera", "--fps", str(FPS)) as camera:
        preferred(camera.pid)
        endpoint = f"ipc://{folder}/results"
        with Subscriber(endpoint) as subscriber, engine_on(camera, endpoint, Path(folder)) as engine:
            before = [result for result, _ in zip(subscriber.results(60), range(2 * FPS), strict=False)][-1]
            with load(engine.pid):
                seen = look_on(subscriber, engine, seconds, freezes_s)
    return seen, before, max(seen.results.values(), key=lambda each: each.seq, default=before)


def look_on(subscriber: Subscriber, engine: subprocess.Popen[str], seconds: float, freezes_s: float) -> Seen:
    seen = Seen()
    until = time.monotonic() + seconds
    thaw_at = time.monotonic() + freezes_s
    if freezes_s:
        engine.send_signal(signal.SIGSTOP)
    while time.monotonic() < until:
        if freezes_s and time.monotonic() >= thaw_at:
            engine.send_signal(signal.SIGCONT)
            freezes_s = 0
        seen.look(subscriber)
        time.sleep(_STEP_S)
    return seen


def told(name: str, load: Load, seconds: float, *, freezes_s: float = 0) -> None:
    try:
        seen, before, last = under(load, seconds, freezes_s=freezes_s)
    except OSError as error:
        print(f"skipped {name}: {error}", flush=True)  # noqa: T201
        return
    ages_ms = seen.ages_ms() or [0.0]
    p50, p99 = np.percentile(ages_ms, [50, 99])
    fresh = 100 - 100 * len(seen.stale_ns) / seen.looks
    dropped = {cause: n - before.counters.dropped.get(cause, 0) for cause, n in last.counters.dropped.items()}
    measured = (
        f"{len(seen.results) / seconds:.1f} results/s; age when published p50 {p50:.0f}, p99 {p99:.0f}, most "
        f"{max(ages_ms):.0f} ms; fresh in {fresh:.1f} % of looks; dropped {dropped}; states "
        f"{dict(seen.states)}, {seen.reconnects} reconnects"
    )
    expected = {"overwritten", "stale", "superseded"}
    holds = max(ages_ms) <= MAX_AGE_MS and set(dropped) <= expected and seen.reconnects == 0
    report(name, f"age <= {MAX_AGE_MS} ms, no reconnect, drops by age alone", measured, holds=holds)
    false = seen.false_stales()
    report(
        f"{name}: looks that wrongly found nothing fresh", "0", f"{false} of {seen.looks}", holds=not false
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=20)
    seconds = parser.parse_args().seconds

    @contextlib.contextmanager
    def hogs_and_quota(pid: int, share: float) -> Iterator[None]:
        with hogs(4), quota(pid, share):
            yield

    told("nothing else runs", lambda _: contextlib.nullcontext(), seconds)
    told("4 processes that only calculate", lambda _: hogs(4), seconds)
    told("20 % of a core", lambda pid: quota(pid, 0.2), seconds)
    told("4 such processes, 20 % of a core", lambda pid: hogs_and_quota(pid, 0.2), seconds)
    told("4 such processes, 5 % of a core", lambda pid: hogs_and_quota(pid, 0.05), seconds)
    told("the engine is stopped for 4 s", lambda _: contextlib.nullcontext(), seconds, freezes_s=4)
    sys.exit(bool(soak_network.misses))


if __name__ == "__main__":
    main()
