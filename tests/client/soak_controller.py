"""python -m tests.client.soak_controller [--seconds 600] [--freezes 20] [--kills 20]

What a control loop sees of a camera that freezes while others take the machine's time, and of an engine that
is killed: prints what is asked, and what was measured; exit 1 on a miss. As root the camera, the loop and the
engine may go before the others (`realtime` in a configuration does that for an engine).
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from edge_engine.client import Subscriber
from edge_engine.clock import NS_PER_MS, monotonic_ns
from tests.rigs.peer import ROOT, Peer
from tests.sources import soak_network
from tests.sources.soak_load import ORDINARY, hogs, preferred
from tests.sources.soak_network import report

MAX_AGE_MS = 100
FPS = 30
_LOOK_S = 0.002


def configuration(folder: Path, camera: Peer) -> tuple[Path, str]:
    endpoint, path = f"ipc://{folder}/results", folder / "controller.yaml"
    realtime = "realtime: {priority: 20}\n" if os.geteuid() == 0 else ""
    path.write_text(
        f"streams:\n  a:\n    source: zmq:tcp://127.0.0.1:{camera.port}\n    max_age_ms: {MAX_AGE_MS}\n"
        f"    open_deadline_ms: 60000\n    frame_deadline_ms: 60000\n    still_after_ms: null\n"
        f"outputs: {{zeromq: {{endpoint: '{endpoint}'}}}}\n{realtime}"
    )
    return path, endpoint


def start(path: Path) -> subprocess.Popen[bytes]:
    command = [*ORDINARY, sys.executable, "-m", "edge_engine", "run", str(path)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def wait_fresh(subscriber: Subscriber, timeout_s: float = 60) -> float:
    """For how long there was nothing fresh, in seconds."""
    began = time.monotonic()
    while subscriber.latest() is None:
        assert time.monotonic() < began + timeout_s, subscriber.status("a").reason
        time.sleep(_LOOK_S)
    return time.monotonic() - began


def until_stale_ms(subscriber: Subscriber) -> float:
    """How old the last light was when the loop was told that it is stale."""
    captured_ns = 0
    while (result := subscriber.latest()) is not None:
        captured_ns = result.captured_ns
        time.sleep(_LOOK_S)
    return (monotonic_ns() - captured_ns) / NS_PER_MS


def alarms(subscriber: Subscriber, seconds: float) -> tuple[int, list[float]]:
    """How often nothing was fresh though the camera ran, and for how many ms each time."""
    until, gaps_ms = time.monotonic() + seconds, list[float]()
    while time.monotonic() < until:
        if subscriber.latest() is None:
            gaps_ms.append(wait_fresh(subscriber) * 1000)
        time.sleep(_LOOK_S)
    return len(gaps_ms), gaps_ms


def freezes(count: int, seconds: float) -> None:
    with TemporaryDirectory() as folder, Peer("zeromq_camera", "--fps", str(FPS)) as camera:
        path, endpoint = configuration(Path(folder), camera)
        preferred(camera.pid)
        with Subscriber(endpoint) as subscriber:
            preferred(os.getpid())
            engine = start(path)
            wait_fresh(subscriber)
            with hogs(4):
                time.sleep(2)
                found, gaps_ms = alarms(subscriber, seconds)
                times_ms = []
                for _ in range(count):
                    wait_fresh(subscriber)
                    camera.signal(signal.SIGSTOP)
                    times_ms.append(until_stale_ms(subscriber))
                    camera.signal(signal.SIGCONT)
            engine.terminate()
            engine.wait()
    what = f"a camera that freezes, budget {MAX_AGE_MS} ms, 4 processes that only calculate, {count} times"
    measured = f"stale at {statistics.median(times_ms):.0f} ms, at most {max(times_ms):.0f}"
    report(what, "<= 120 ms", measured, holds=max(times_ms) <= 120)
    longest = f"the longest {max(gaps_ms):.0f} ms" if gaps_ms else "none"
    report(f"false alarms in {seconds:g} s of that load", "0", f"{found}, {longest}", holds=not found)


def kills(count: int) -> None:
    with TemporaryDirectory() as folder, Peer("zeromq_camera", "--fps", str(FPS)) as camera:
        path, endpoint = configuration(Path(folder), camera)
        stale_ms, back_s = list[float](), list[float]()
        with Subscriber(endpoint) as subscriber:
            engine = start(path)
            wait_fresh(subscriber)
            for _ in range(count):
                engine.kill()
                stale_ms.append(until_stale_ms(subscriber))
                engine.wait()
                engine = start(path)
                back_s.append(wait_fresh(subscriber))
            restarts = subscriber.stats.restarts
            engine.terminate()
            engine.wait()
    report(
        f"an engine that is killed, {count} times: stale within its budget",
        f"<= {MAX_AGE_MS + 20} ms",
        f"at most {max(stale_ms):.0f} ms",
        holds=max(stale_ms) <= MAX_AGE_MS + 20,
    )
    measured = f"{statistics.median(back_s):.1f} s, at most {max(back_s):.1f}; {restarts} restarts were told"
    report("fresh results after its start", "<= 3 s", measured, holds=max(back_s) <= 3 and restarts == count)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--freezes", type=int, default=20)
    parser.add_argument("--kills", type=int, default=20)
    arguments = parser.parse_args()
    if arguments.kills:
        kills(arguments.kills)
    freezes(arguments.freezes, arguments.seconds)
    sys.exit(bool(soak_network.misses))


if __name__ == "__main__":
    main()
