"""A camera as its source alone has it, and as a client of an engine sees it, with how long things take."""

from __future__ import annotations

import argparse
import faulthandler
import gc
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

from edge_engine.client import Subscriber
from edge_engine.clock import NS_PER_S
from edge_engine.config import Config, OutputsConfig, StreamConfig, ZeroMqConfig
from edge_engine.engine import Engine
from edge_engine.models.spec import InputSpec, ModelSpec
from tests.models.made import made
from tests.rigs.peer import open_descriptors, wait_until
from tests.sources.live import Reading, opened
from tests.sources.soak_network import report

_LOOK_S = 0.002


class Alone:
    """The source by itself, read by a thread."""

    def __init__(self, uri: str) -> None:
        self._source, self._status = opened(uri)
        self._reading = Reading(self._source)

    def last_s(self) -> float:
        return self._reading.last_s

    def captured_s(self) -> float:
        return self._reading.last_s

    def count(self) -> int:
        return self._reading.count

    def corrupt(self) -> int:
        return self._reading.corrupt

    def state(self) -> tuple[str, int]:
        """With how often it was lost, since a state may be over between two looks."""
        return self._status.now.state.value, self._status.now.reconnects

    def reason(self) -> str:
        return self._status.now.reason

    def missed(self) -> int:
        return self._source.missed

    def end(self) -> None:
        self._reading.end()


class Client:
    """An engine's stream `a` as a controller sees it; `others_gap_s` is of its stream `b`."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._stop = threading.Event()
        self._seqs = {"a": -1, "b": -1}
        self._last_s = self._captured_s = self._other_s = self.others_gap_s = 0.0
        self._count = self._missed = self._corrupt = 0
        self._state, self._reason = ("", 0), ""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with Subscriber(self._endpoint) as subscriber:
            while not self._stop.wait(_LOOK_S):
                self._look(subscriber)

    def _look(self, subscriber: Subscriber) -> None:
        for stream in self._seqs:
            result = subscriber.latest(stream=stream)
            if result is not None and result.seq != self._seqs[stream]:
                self._seqs[stream] = result.seq
                self._note(stream, result.captured_ns / NS_PER_S)
        health = subscriber.health.get("a")
        if health is not None:
            self._state, self._missed = (health.state, health.reconnects), health.missed
            self._reason = health.reason
            self._corrupt = health.counters.dropped.get("corrupt", 0)

    def _note(self, stream: str, captured_s: float) -> None:
        now_s = time.monotonic()
        if stream == "b":
            self.others_gap_s = max(self.others_gap_s, now_s - (self._other_s or now_s))
            self._other_s = now_s
            return
        self._last_s = now_s
        self._captured_s = captured_s
        self._count += 1

    def last_s(self) -> float:
        return self._last_s

    def captured_s(self) -> float:
        return self._captured_s

    def count(self) -> int:
        return self._count

    def corrupt(self) -> int:
        return self._corrupt

    def state(self) -> tuple[str, int]:
        return self._state

    def reason(self) -> str:
        return self._reason

    def missed(self) -> int:
        return self._missed

    def end(self) -> None:
        self._stop.set()
        self._thread.join(5)


Watched: TypeAlias = Alone | Client


def asked() -> argparse.Namespace:
    """How often each thing is to befall a camera, and to whom."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--plugs", type=int, default=20)
    parser.add_argument("--errors", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--only", choices=("source", "engine"))
    return parser.parse_args()


def soon(is_so: Callable[[], object], timeout_s: float = 30) -> bool:
    """As wait_until, with a closer look."""
    until = time.monotonic() + timeout_s
    while time.monotonic() < until and not is_so():
        time.sleep(_LOOK_S)
    return bool(is_so())


def expect(seen: Watched, is_so: Callable[[], object], complaint: str) -> None:
    """Where it never becomes so, what each thread is doing tells why."""
    if soon(is_so):
        return
    faulthandler.dump_traceback(sys.stdout, all_threads=True)
    raise AssertionError(f"{complaint}: {seen.state()}, {seen.count()} pictures, {seen.reason()}")


def flag_s(seen: Watched, before: tuple[str, int]) -> float:
    """When it was told that all is not well."""
    expect(seen, lambda: seen.state()[0] != "running" or seen.state()[1] > before[1], "never flagged")
    return time.monotonic()


def picture_s(seen: Watched, since_s: float) -> float:
    """When the first picture came that was taken after that moment."""
    expect(seen, lambda: seen.captured_s() > since_s, "no picture again")
    return seen.last_s()


def settle(seen: Watched) -> tuple[str, int]:
    count = seen.count()
    expect(seen, lambda: seen.count() > count + 8 and seen.state()[0] == "running", "not steady again")
    return seen.state()


def show(times_s: list[float]) -> str:
    ordered = [1000 * each for each in sorted(times_s)]
    return f"median {ordered[len(ordered) // 2]:.0f}, worst {ordered[-1]:.0f} ms"


def report_times(what: str, flags_s: list[float], backs_s: list[float], back_within_s: float = 1.0) -> None:
    report(f"{what}: flagged", "<= 200 ms", show(flags_s), holds=max(flags_s) <= 0.2)
    asked = f"<= {back_within_s:.3g} s"
    report(f"{what}: picture after return", asked, show(backs_s), holds=max(backs_s) <= back_within_s)


def unplugs(
    seen: Watched,
    who: str,
    times: int,
    unplug: Callable[[], None],
    plug: Callable[[], None],
    back_within_s: float = 1.0,
) -> None:
    settle(seen)
    gc.collect()
    before = open_descriptors(), threading.active_count()
    flags_s, backs_s = [], []
    for _ in range(times):
        state, began_s = settle(seen), time.monotonic()
        unplug()
        flags_s.append(flag_s(seen, state) - began_s)
        time.sleep(0.5)
        back_s = time.monotonic()
        plug()
        backs_s.append(picture_s(seen, back_s) - back_s)
    report_times(f"{who}: unplugged {times} times", flags_s, backs_s, back_within_s)
    leaves_nothing(f"{who}: {times} times unplugged", before)


def leaves_nothing(what: str, before: tuple[int, int]) -> None:
    gc.collect()
    wait_until(lambda: (open_descriptors(), threading.active_count()) <= before, 15)
    after = open_descriptors(), threading.active_count()
    report(f"{what}: descriptors, threads", "+0", f"{before} before, {after} after", holds=after <= before)


def small_model(path: Path) -> Path:
    """What it says of a picture means nothing; a real one would take the emulated machine seconds for it."""
    picture = InputSpec(64, 64, "NCHW", "float32", "RGB", "centre")
    labels = tuple(f"kind {number}" for number in range(4))
    spec = ModelSpec(
        "small", "classification", "classifier", picture, labels, 0.0, 0.5, options={"activation": "none"}
    )
    return made(path, spec, {"scores": ((1, len(labels)), "Softmax")})


@contextmanager
def engine(uri: str) -> Iterator[Client]:
    """Of the camera as `a` and a test pattern as `b`."""
    with TemporaryDirectory() as folder:
        model = str(small_model(Path(folder) / "small.onnx"))
        endpoint = f"ipc://{folder}/results"
        patient = StreamConfig(source=uri, open_deadline_ms=30_000, max_age_ms=10_000, still_after_ms=None)
        other = StreamConfig(source="test:320x180@4", max_age_ms=10_000, still_after_ms=None)
        outputs = OutputsConfig(zeromq=ZeroMqConfig(endpoint=endpoint))
        client = Client(endpoint)
        config = Config(model=model, streams={"a": patient, "b": other}, outputs=outputs, trim=False)
        with Engine(config, collect=False):
            yield client
            client.end()
