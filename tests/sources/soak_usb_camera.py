"""A USB camera at the kernel's own driver for them, and all that befalls it: what is asked, and measured.

python -m tests.sources.soak_usb_camera [--plugs 20] [--errors 5] [--seconds 10] [--only source|engine]

(in the machine of make rig-v4l2)

As soak_v4l2 does it with the kernel's test camera, but with MJPG and what USB cameras do: lose packets,
halt, hang, be another one. What the kernel alone takes is told first: it waits until a plug is firm, and the
machine is emulated.
"""

from __future__ import annotations

import argparse
import sys
import time

from edge_engine.sources.camera import CameraSource
from edge_engine.sources.uri import parse_uri
from tests.rigs.peer import Peer
from tests.rigs.usb_host import keep_damaged, node, replug
from tests.sources import soak_network
from tests.sources.soak_network import report
from tests.sources.watched import (
    Alone,
    Watched,
    asked,
    engine,
    expect,
    flag_s,
    picture_s,
    report_times,
    settle,
    show,
    soon,
    unplugs,
)

OPTIONS = "format=MJPG&size=320x240&fps=30"
CONTROL_TIMEOUT_S = 5.0
"""How long the kernel waits for an answer that never comes (USB_CTRL_GET_TIMEOUT in include/linux/usb.h)."""


def plain(camera: Peer, times: int) -> float:
    """The kernel and one connection: what an engine can't be faster than, in seconds; the median."""
    nodes_s, pictures_s = [], []
    for _ in range(times):
        camera.say("unplug")
        soon(lambda: not node())
        began_s = time.monotonic()
        camera.say("plug")
        soon(node)
        nodes_s.append(time.monotonic() - began_s)
        source = CameraSource(parse_uri(f"camera:{node()}?{OPTIONS}"), pace=True, loop=False)
        source.open()
        assert source.read() is not None
        pictures_s.append(time.monotonic() - began_s)
        source.close()
    text = f"its node is there: {show(nodes_s)}; with a first picture: {show(pictures_s)}"
    report("plugged in, the kernel by itself", "-", text, holds=True)
    return sorted(pictures_s)[times // 2]


def silences(
    camera: Peer, seen: Watched, who: str, times: int, fault: str, seconds: float, back_within_s: float
) -> None:
    flags_s, backs_s = [], []
    for _ in range(times):
        state, began_s = settle(seen), time.monotonic()
        camera.say(fault)
        flags_s.append(flag_s(seen, state) - began_s)
        time.sleep(seconds)
        back_s = time.monotonic()
        camera.say("resume")
        backs_s.append(picture_s(seen, back_s) - back_s)
    report_times(f"{who}: {fault} for {seconds:g} s, {times} times", flags_s, backs_s, back_within_s)


def halts(camera: Peer, seen: Watched, who: str, times: int) -> None:
    """A new connection cures it, so the first picture counts from the halt."""
    flags_s, backs_s = [], []
    for _ in range(times):
        state, began_s = settle(seen), time.monotonic()
        camera.say("stall")
        flagged_s = flag_s(seen, state)
        flags_s.append(flagged_s - began_s)
        backs_s.append(picture_s(seen, flagged_s) - began_s)
    report_times(f"{who}: its endpoint halted, {times} times", flags_s, backs_s)


def damage(camera: Peer, seen: Watched, who: str, fault: str, seconds: float) -> None:
    """Every picture, for some time."""
    state, before = settle(seen), seen.corrupt()
    camera.say(fault)
    began_s = time.monotonic()
    expect(seen, lambda: seen.corrupt() > before, "no damage counted")
    time.sleep(seconds)
    counted = seen.corrupt() - before
    measured = f"{counted} counted in {time.monotonic() - began_s:.1f} s"
    camera.say("whole")
    settle(seen)
    lost = seen.state()[1] - state[1]
    report(
        f"{who}: {fault} pictures for {seconds:g} s", "counted, 0 reconnects",
        f"{measured}, {lost} reconnects", holds=counted > 0 and lost == 0,
    )  # fmt: skip


def replaced(camera: Peer, seen: Watched, who: str, times: int, back_within_s: float) -> None:
    """By one of another size, and back; in no time, so the first picture counts from the pulling."""
    flags_s, backs_s = [], []
    for number in range(2 * times):
        state, began_s = settle(seen), time.monotonic()
        camera.say("plug" if number % 2 else "plug other")
        flagged_s = flag_s(seen, state)
        flags_s.append(flagged_s - began_s)
        backs_s.append(picture_s(seen, flagged_s) - began_s)
    report_times(f"{who}: another camera in its place, {2 * times} times", flags_s, backs_s, back_within_s)


def befall(camera: Peer, seen: Watched, who: str, arguments: argparse.Namespace, kernels_s: float) -> None:
    plugged_in_s = 1 + kernels_s
    unplug, plug = (lambda: camera.say("unplug")), (lambda: camera.say("plug"))
    unplugs(seen, who, arguments.plugs, unplug, plug, plugged_in_s)
    silences(camera, seen, who, arguments.errors, "freeze", 2, 1)
    silences(camera, seen, who, 1, "hang", arguments.seconds, 1 + CONTROL_TIMEOUT_S)
    halts(camera, seen, who, arguments.errors)
    for fault in ("trunc", "garbage", "err", *(["hole"] if who == "engine" else [])):
        damage(camera, seen, who, fault, 2)
    replaced(camera, seen, who, arguments.errors, plugged_in_s)


def main() -> None:
    arguments = asked()
    with Peer("usb_webcam") as camera:
        kernels_s = plain(camera, 5)
        keep_damaged(True)
        uri = f"camera:{replug(camera)}?{OPTIONS}"
        if arguments.only != "engine":
            alone = Alone(uri)
            befall(camera, alone, "source", arguments, kernels_s)
            alone.end()
        if arguments.only != "source":
            with engine(uri) as client:
                befall(camera, client, "engine", arguments, kernels_s)
    sys.exit(bool(soak_network.misses))


if __name__ == "__main__":
    main()
