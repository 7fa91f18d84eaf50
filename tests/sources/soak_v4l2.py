"""A USB camera and all that befalls it, many times over: prints what is asked, and what was measured.

python -m tests.sources.soak_v4l2 [--plugs 20] [--errors 5] [--seconds 10] [--only source|engine]

(in the machine of make rig-v4l2)

First as a source by itself, then in a whole engine with a model, as a client sees it over ZeroMQ. The machine
is emulated, some fifteen times slower than a real one: what the driver alone takes is told first.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time

from edge_engine.sources.camera import CameraSource
from edge_engine.sources.uri import parse_uri
from tests.rigs.peer import Peer, open_descriptors
from tests.rigs.vivid import plug, set_now, unplug
from tests.sources import soak_network
from tests.sources.soak_network import report
from tests.sources.watched import (
    Alone,
    Client,
    Watched,
    asked,
    engine,
    flag_s,
    leaves_nothing,
    picture_s,
    report_times,
    settle,
    show,
    soon,
    unplugs,
)

FPS = 25
URI = f"camera:0?size=320x180&fps={FPS}"
_INJECTED = {
    "a fatal streaming error": {"inject_fatal_streaming_error": 1},
    "a refused buffer": {"inject_vidioc_qbuf_error": 1},
    "a fatal error, then no stream": {"inject_vidioc_streamon_error": 1, "inject_fatal_streaming_error": 1},
    "a fatal error, then no buffers": {"inject_vidioc_reqbufs_error": 1, "inject_fatal_streaming_error": 1},
}


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


def errors(seen: Watched, who: str, times: int) -> None:
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


def damage(seen: Watched, who: str, times: int) -> None:
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


def half(seen: Watched, who: str, seconds: float) -> None:
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


def silences(seen: Watched, who: str, times: int) -> None:
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


def hangs(seen: Watched, who: str, seconds: float) -> None:
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


def befall(seen: Watched, who: str, arguments: argparse.Namespace) -> None:
    unplugs(seen, who, arguments.plugs, unplug, plug)
    errors(seen, who, arguments.errors)
    damage(seen, who, arguments.errors)
    half(seen, who, arguments.seconds)
    silences(seen, who, arguments.errors)
    hangs(seen, who, arguments.seconds)


def main() -> None:
    arguments = asked()
    plain(5)
    if arguments.only != "engine":
        alone = Alone(URI)
        befall(alone, "source", arguments)
        alone.end()
    if arguments.only != "source":
        with engine(URI) as client:
            befall(client, "engine", arguments)
    sys.exit(bool(soak_network.misses))


if __name__ == "__main__":
    main()
