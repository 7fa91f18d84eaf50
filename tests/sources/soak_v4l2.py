"""A USB camera and all that befalls it, many times over: prints what is asked, and what was measured.

python -m tests.sources.soak_v4l2 [--plugs 20] [--errors 5] [--seconds 10] [--only source|engine]

(in the machine of make rig-v4l2)

First as a source by itself, then in a whole engine with a model, as a client sees it over ZeroMQ. The machine
is emulated, some fifteen times slower than a real one: what the driver alone takes is told first.
"""

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

from edge_engine.client import Subscriber
from edge_engine.clock import NS_PER_S
from edge_engine.config import Config, OutputsConfig, StreamConfig, ZeroMqConfig
from edge_engine.engine import Engine
from edge_engine.models.spec import InputSpec, ModelSpec
from edge_engine.sources.camera import CameraSource
from edge_engine.sources.uri import parse_uri
from tests.models.made import made
from tests.rigs.peer import Peer, open_descriptors, wait_until
from tests.rigs.vivid import plug, set_now, unplug
from tests.sources import soak_network
from tests.sources.live import Reading, opened
from tests.sources.soak_network import report

FPS = 25
URI = f"camera:0?size=320x180&fps={FPS}"
_LOOK_S = 0.002
_INJECTED = {
    "a fatal streaming error": {"inject_fatal_streaming_error": 1},
    "a refused buffer": {"inject_vidioc_qbuf_error": 1},
    "a fatal error, then no stream": {"inject_vidioc_streamon_error": 1, "inject_fatal_streaming_error": 1},
    "a fatal error, then no buffers": {"inject_vidioc_reqbufs_error": 1, "inject_fatal_streaming_error": 1},
}


class Alone:
    """The source by itself, read by a thread."""

    def __init__(self) -> None:
        self._source, self._status = opened(URI)
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


def soon(is_so: Callable[[], object], timeout_s: float = 30) -> bool:
    """As wait_until, with a closer look."""
    until = time.monotonic() + timeout_s
    while time.monotonic() < until and not is_so():
        time.sleep(_LOOK_S)
    return bool(is_so())


def expect(seen: Alone | Client, is_so: Callable[[], object], complaint: str) -> None:
    """Where it never becomes so, what each thread is doing tells why."""
    if soon(is_so):
        return
    faulthandler.dump_traceback(sys.stdout, all_threads=True)
    raise AssertionError(f"{complaint}: {seen.state()}, {seen.count()} pictures, {seen.reason()}")


def flag_s(seen: Alone | Client, before: tuple[str, int]) -> float:
    """When it was told that all is not well."""
    expect(seen, lambda: seen.state()[0] != "running" or seen.state()[1] > before[1], "never flagged")
    return time.monotonic()


def picture_s(seen: Alone | Client, since_s: float) -> float:
    """When the first picture came that was taken after that moment."""
    expect(seen, lambda: seen.captured_s() > since_s, "no picture again")
    return seen.last_s()


def settle(seen: Alone | Client) -> tuple[str, int]:
    count = seen.count()
    expect(seen, lambda: seen.count() > count + 8 and seen.state()[0] == "running", "not steady again")
    return seen.state()


def show(times_s: list[float]) -> str:
    ordered = [1000 * each for each in sorted(times_s)]
    return f"median {ordered[len(ordered) // 2]:.0f}, worst {ordered[-1]:.0f} ms"


def report_times(what: str, flags_s: list[float], backs_s: list[float]) -> None:
    report(f"{what}: flagged", "<= 200 ms", show(flags_s), holds=max(flags_s) <= 0.2)
    report(f"{what}: picture after return", "<= 1 s", show(backs_s), holds=max(backs_s) <= 1)


def plain(times: int) -> None:
    """The driver and one connection, nothing else: what an engine can't be faster than."""
    binds_s, pictures_s = [], []
    for _ in range(times):
        unplug()
        began_s = time.monotonic()
        plug()
        bound_s = time.monotonic()
        source = CameraSource(parse_uri(URI), pace=True, loop=False)
        source.open()
        assert source.read() is not None
        binds_s.append(bound_s - began_s)
        pictures_s.append(time.monotonic() - began_s)
        source.close()
    text = f"plugged in: {show(binds_s)}; with a first picture: {show(pictures_s)}"
    report("the driver by itself", "-", text, holds=True)


def unplugs(seen: Alone | Client, who: str, times: int) -> None:
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
    report_times(f"{who}: unplugged {times} times", flags_s, backs_s)
    leaves_nothing(f"{who}: {times} times unplugged", before)


def leaves_nothing(what: str, before: tuple[int, int]) -> None:
    gc.collect()
    wait_until(lambda: (open_descriptors(), threading.active_count()) <= before, 15)
    after = open_descriptors(), threading.active_count()
    report(f"{what}: descriptors, threads", "+0", f"{before} before, {after} after", holds=after <= before)


def errors(seen: Alone | Client, who: str, times: int) -> None:
    """The camera is back at once, so the first picture counts from the error."""
    for what, values in _INJECTED.items():
        flags_s, backs_s = [], []
        for _ in range(times):
            state, began_s = settle(seen), time.monotonic()
            set_now(**values)
            flagged_s = flag_s(seen, state)
            flags_s.append(flagged_s - began_s)
            backs_s.append(picture_s(seen, flagged_s) - began_s)
        report_times(f"{who}: {what}, {times} times", flags_s, backs_s)


def damage(seen: Alone | Client, who: str, times: int) -> None:
    before, state = seen.corrupt(), settle(seen)
    for _ in range(times):
        set_now(inject_v4l2_buf_flag_error=1)
        settle(seen)
    soon(lambda: seen.corrupt() - before >= times, 2)
    measured = f"{seen.corrupt() - before} counted, {seen.state()[1] - state[1]} reconnects"
    holds = seen.corrupt() - before == times and seen.state() == state
    report(
        f"{who}: {times} buffers marked as damaged", f"{times} counted, 0 reconnects", measured, holds=holds
    )


def half(seen: Alone | Client, who: str, seconds: float) -> None:
    state, count, missed, began_s = settle(seen), seen.count(), seen.missed(), time.monotonic()
    set_now(percentage_of_dropped_buffers=50)
    assert soon(lambda: seen.missed() > missed)
    told_ms = 1000 * (time.monotonic() - began_s)
    time.sleep(seconds)
    set_now(percentage_of_dropped_buffers=0)
    elapsed_s = time.monotonic() - began_s
    settle(seen)
    share = (seen.missed() - missed) / (elapsed_s * FPS)
    measured = (
        f"{share:.2f} of the pictures counted as missed, the first after {told_ms:.0f} ms; "
        f"{(seen.count() - count) / elapsed_s:.1f} results/s; {seen.state()[1] - state[1]} reconnects"
    )
    holds = 0.35 <= share <= 0.65 and seen.state() == state
    report(f"{who}: half of the buffers dropped", "counted, the stream goes on", measured, holds=holds)


def silences(seen: Alone | Client, who: str, times: int) -> None:
    flags_s, backs_s = [], []
    for _ in range(times):
        state = settle(seen)
        set_now(percentage_of_dropped_buffers=100)
        began_s = time.monotonic()
        flags_s.append(flag_s(seen, state) - began_s)
        time.sleep(2)
        back_s = time.monotonic()
        set_now(percentage_of_dropped_buffers=0)
        backs_s.append(picture_s(seen, back_s) - back_s)
    report_times(f"{who}: every buffer dropped, {times} times", flags_s, backs_s)


def hangs(seen: Alone | Client, who: str, seconds: float) -> None:
    """Of the driver itself: each call into it waits in the kernel, and nothing can wake it."""
    state = settle(seen)
    before = open_descriptors(), threading.active_count()
    with Peer("stuck_driver"):
        began_s = time.monotonic()
        flagged_s = flag_s(seen, state)
        if isinstance(seen, Client):
            seen.others_gap_s = 0.0
        time.sleep(seconds)
        inside = threading.active_count() - before[1]
        back_s = time.monotonic()
    took_s = picture_s(seen, back_s) - back_s
    report_times(f"{who}: the driver hangs for {seconds:g} s", [flagged_s - began_s], [took_s])
    report(f"{who}: threads left behind in it", "<= 8", f"{inside}", holds=inside <= 8)
    leaves_nothing(f"{who}: after the driver's hanging", before)
    if isinstance(seen, Client):
        gap_ms = 1000 * seen.others_gap_s
        report(
            f"{who}: the other stream meanwhile",
            "<= 1 s",
            f"longest gap {gap_ms:.0f} ms",
            holds=gap_ms <= 1000,
        )


def small_model(path: Path) -> Path:
    """What it says of a picture means nothing; a real one would take the emulated machine seconds for it."""
    picture = InputSpec(64, 64, "NCHW", "float32", "RGB", "centre")
    labels = tuple(f"kind {number}" for number in range(4))
    spec = ModelSpec(
        "small", "classification", "classifier", picture, labels, 0.0, 0.5, options={"activation": "none"}
    )
    return made(path, spec, {"scores": ((1, len(labels)), "Softmax")})


@contextmanager
def engine() -> Iterator[Client]:
    """Of the camera as `a` and a test pattern as `b`."""
    with TemporaryDirectory() as folder:
        model = str(small_model(Path(folder) / "small.onnx"))
        endpoint = f"ipc://{folder}/results"
        patient = StreamConfig(source=URI, open_deadline_ms=30_000, max_age_ms=10_000, still_after_ms=None)
        other = StreamConfig(source="test:320x180@4", max_age_ms=10_000, still_after_ms=None)
        outputs = OutputsConfig(zeromq=ZeroMqConfig(endpoint=endpoint))
        client = Client(endpoint)
        config = Config(model=model, streams={"a": patient, "b": other}, outputs=outputs, trim=False)
        with Engine(config, collect=False):
            yield client
            client.end()


def befall(seen: Alone | Client, who: str, arguments: argparse.Namespace) -> None:
    unplugs(seen, who, arguments.plugs)
    errors(seen, who, arguments.errors)
    damage(seen, who, arguments.errors)
    half(seen, who, arguments.seconds)
    silences(seen, who, arguments.errors)
    hangs(seen, who, arguments.seconds)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--plugs", type=int, default=20)
    parser.add_argument("--errors", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--only", choices=("source", "engine"))
    arguments = parser.parse_args()
    plain(5)
    if arguments.only != "engine":
        alone = Alone()
        befall(alone, "source", arguments)
        alone.end()
    if arguments.only != "source":
        with engine() as client:
            befall(client, "engine", arguments)
    sys.exit(bool(soak_network.misses))


if __name__ == "__main__":
    main()
