"""A network camera and all that befalls it, many times over: prints what is asked, and what was measured.

python -m tests.sources.soak_network [--kills 50] [--switches 100] [--seconds 12]
"""

from __future__ import annotations

import argparse
import gc
import signal
import socket
import sys
import threading
import time
from tempfile import TemporaryDirectory

import psutil

from edge_engine.client import Subscriber
from edge_engine.config import Config, OutputsConfig, StreamConfig, ZeroMqConfig
from edge_engine.engine import Engine
from edge_engine.errors import SourceError
from edge_engine.sources.test_pattern import read_counter
from edge_engine.state import StreamState, StreamStatus
from tests.rigs.peer import Peer, open_descriptors, wait_until
from tests.sources.live import Patience, Reading, opened, pictures
from tests.sources.program import STATES, program_while

misses = 0


def report(what: str, asked: str, measured: str, *, holds: bool) -> None:
    global misses
    misses += not holds
    print(f"{'holds ' if holds else 'MISSED'}  {what}: {measured} (asked: {asked})", flush=True)  # noqa: T201


def uri(camera: Peer, transport: str = "tcp") -> str:
    return f"rtsp://127.0.0.1:{camera.port}/cam#transport={transport}"


def kills(times: int) -> None:
    process = psutil.Process()
    with Peer("rtsp_server") as camera:
        source, status = opened(uri(camera))
        reading = Reading(source)
        assert wait_until(lambda: reading.count > 20)
        gc.collect()
        before = open_descriptors(), threading.active_count()
        rss, waits_s = process.memory_info().rss, []
        for _ in range(times):
            camera.kill()
            assert wait_until(lambda: status.now.state is StreamState.RECONNECTING)
            time.sleep(0.5)
            camera.start()
            back_s = time.monotonic()
            assert wait_until(lambda seen=reading, back_s=back_s: seen.last_s > back_s)  # type: ignore[misc]
            waits_s.append(reading.last_s - back_s)
            time.sleep(0.2)
        gc.collect()
        wait_until(lambda: (open_descriptors(), threading.active_count()) <= before, 15)
        after = open_descriptors(), threading.active_count()
        grown_mb = (process.memory_info().rss - rss) / 1e6
        reading.end()
    waits_s.sort()
    middle, worst = waits_s[len(waits_s) // 2], waits_s[-1]
    report(
        f"first picture after {times} kills",
        "<= 2 s",
        f"median {middle:.2f}, worst {worst:.2f} s",
        holds=worst <= 2,
    )
    report("descriptors, threads after them", "+0", f"{before} before, {after} after", holds=after <= before)
    report("memory after them", "< 5 MB", f"{grown_mb:+.1f} MB", holds=grown_mb < 5)


def silences(transport: str) -> None:
    for fault in ("freeze", "stop"):
        with Peer("rtsp_server") as camera:
            source, status = opened(uri(camera, transport))
            reading = Reading(source)
            assert wait_until(lambda reading=reading: reading.count > 20)  # type: ignore[misc]
            if fault == "stop":
                camera.signal(signal.SIGSTOP)
            else:
                camera.say("freeze")
            silent_s = time.monotonic()
            stalled_s = when(status, StreamState.STALLED) - silent_s
            lost_s = when(status, StreamState.RECONNECTING) - silent_s
            reading.end()
        what = f"reconnects when the server is {'frozen' if fault == 'freeze' else 'stopped'}, {transport}"
        measured = f"stalled after {stalled_s:.2f}, reconnecting after {lost_s:.2f} s"
        report(what, "<= 1.5 s", measured, holds=lost_s <= 1.5)


def when(status: StreamStatus, state: StreamState) -> float:
    assert wait_until(lambda: status.now.state is state)
    return status.now.since_ns / 1e9


def black_hole() -> None:
    with socket.create_server(("127.0.0.1", 0)) as hole:
        started_s = time.monotonic()
        try:
            opened(f"rtsp://127.0.0.1:{hole.getsockname()[1]}/cam", Patience(open_ms=1000))
        except SourceError:
            took_s = time.monotonic() - started_s
            report("gives a black hole up", "<= 1.1 s", f"{took_s:.3f} s of 1 s", holds=took_s <= 1.1)


def switches(times: int) -> None:
    outside = sizes = 0
    with Peer("rtsp_server") as camera:
        stream = StreamConfig(source=uri(camera), open_deadline_ms=30_000)
        with Engine(Config(streams={"a": stream})) as engine:
            last, seen = None, 0
            for number, result in enumerate(engine.results()):
                boxes = result.objects.boxes_xyxy
                outside += int((boxes > (*result.frame.size, *result.frame.size)).any() or (boxes < 0).any())
                seen += result.frame.size != last
                last = result.frame.size
                if number % 10 == 0:
                    camera.say("res")
                    sizes += 1
                if sizes > times:
                    break
            state = engine.summary().streams["a"]
    measured = f"{seen - 1} seen, {outside} boxes outside, {state.reconnects} reconnects, {state.state}"
    report(f"{times} switches of resolution", "no box outside, no crash", measured, holds=not outside)


def stalls(seconds: float) -> None:
    """What was held back comes at once: a client must not get any of it."""
    max_age_ms, ages_ms = 500, []
    with Peer("rtsp_server") as camera, TemporaryDirectory() as folder:
        endpoint = f"ipc://{folder}/results"
        stream = StreamConfig(
            source=uri(camera), open_deadline_ms=30_000, frame_deadline_ms=60_000, max_age_ms=max_age_ms
        )
        outputs = OutputsConfig(zeromq=ZeroMqConfig(endpoint=endpoint))
        config = Config(streams={"a": stream}, outputs=outputs)
        with Subscriber(endpoint) as subscriber, Engine(config, keep_pixels=True) as engine:
            for number, result in enumerate(engine.results()):
                taken_ms = read_counter(result.frame.bgr())
                ages_ms.append(result.published_ns // 1_000_000 % 2**32 - taken_ms)
                subscriber.latest()
                if number == 50:
                    camera.say("hold")
                    threading.Timer(seconds, camera.say, ["burst"]).start()
                    silent_s = time.monotonic()
                    assert wait_until(lambda: subscriber.latest() is None)
                    empty_s = time.monotonic() - silent_s
                if number == 120:
                    break
            counts = engine.summary().streams["a"]
    report(
        "a client has nothing any more when the camera is held up",
        f"<= {max_age_ms / 1000 + 0.1:g} s",
        f"after {empty_s:.3f} s",
        holds=empty_s <= max_age_ms / 1000 + 0.1,
    )
    worst = max(ages_ms)
    report(
        f"oldest picture that was published around a burst after {seconds:g} s",
        f"<= {max_age_ms + 40} ms",
        f"{worst} ms by the time in the picture; {counts.dropped.get('stale', 0)} were stale",
        holds=worst <= max_age_ms + 40,
    )


def signals() -> None:
    for state in STATES:
        with program_while(state) as program:
            assert program.stdout is not None
            told_s = time.monotonic()
            program.terminate()
            program.stdout.read()
            code, took_s = program.wait(30), time.monotonic() - told_s
        measured = f"code {code} after {took_s:.2f} s"
        report(f"SIGTERM while {state}", "code 0, <= 2 s", measured, holds=code == 0 and took_s <= 2)


def losses(seconds: float) -> None:
    for fault, transport, asked in (
        ("loss 0.05", "udp", 0.95),
        ("loss 0.2", "udp", 0.85),
        ("corrupt 0.1", "tcp", 0.85),
        ("corrupt 0.1", "udp", 0.85),
    ):
        with Peer("rtsp_server", "--grain", "6") as camera:
            source, status = opened(uri(camera, transport))
            pictures(source, 25)
            camera.say(fault)
            reading, started_s = Reading(source), time.monotonic()
            time.sleep(seconds)
            share = reading.count / ((time.monotonic() - started_s) * 25)
            measured = (
                f"{share:.3f} of the pictures, {reading.corrupt} corrupt, {status.now.reconnects} reconnects"
            )
            reading.end()
        report(f"{fault}, {transport}", f">= {asked}", measured, holds=share >= asked)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--switches", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=12)
    arguments = parser.parse_args()
    black_hole()
    for transport in ("tcp", "udp"):
        silences(transport)
    stalls(5)
    signals()
    losses(arguments.seconds)
    switches(arguments.switches)
    kills(arguments.kills)
    sys.exit(bool(misses))


if __name__ == "__main__":
    main()
