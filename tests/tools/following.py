"""Following, whole: a camera that sees a person, an engine, each a process, and the loop with its robot.

What the camera noted of each picture's light, before it was sent, is the judge of what the loop did.
"""

from __future__ import annotations

import math
import signal
import subprocess
import sys
import threading
import time
from bisect import bisect_right
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import zmq

from edge_engine import Subscriber
from edge_engine.clock import NS_PER_MS, monotonic_ns
from tests.rigs.peer import ROOT, Peer, wait_until
from tests.rigs.person_camera import AHEAD_M, HEIGHT_M, HFOV_DEG
from tools.follow.loop import Tick, follow
from tools.follow.robots import Driver, Pose, Robot

MAX_AGE_MS = 300
STILL_AFTER_MS = 200
KEEP_M = 4.5
PATIENCE_S = 60.0
_FACING_RAD = 0.08

CONFIG = f"""
streams:
  front:
    source: zmq:tcp://127.0.0.1:{{port}}
    max_age_ms: {2 * MAX_AGE_MS}
    still_after_ms: {STILL_AFTER_MS}
    open_deadline_ms: 60000
    reconnect: always
    camera: {{{{hfov_deg: {HFOV_DEG}, height_m: {HEIGHT_M}}}}}
classes: [person]
tracking: {{{{}}}}
outputs: {{{{zeromq: {{{{endpoint: '{{endpoint}}'}}}}}}}}
"""


class Picture(NamedTuple):
    """What the camera noted: the stamp that it sent, and when the light really was."""

    captured_ns: int
    light_ns: int


class Following:
    """The test's thread makes faults and waits; a thread of its own runs the loop and appends to `ticks`."""

    def __init__(self, folder: Path, robot: Robot) -> None:
        self._folder, self._robot = folder, robot
        self._endpoint, self._poses = f"ipc://{folder}/results", f"ipc://{folder}/poses"
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.ticks: list[Tick] = []

    def __enter__(self) -> Following:
        with ExitStack() as stack:
            self.camera = stack.enter_context(
                Peer("person_camera", "--pose", self._poses, "--log", str(self._folder / "pictures"))
            )
            config = CONFIG.format(port=self.camera.port, endpoint=self._endpoint)
            (self._folder / "follow.yaml").write_text(config)
            stack.callback(self.kill_engine)
            self.start_engine()
            stack.callback(self._thread.join)
            stack.callback(self._is_over.set)
            self._thread.start()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _run(self) -> None:
        driver = Driver(self._robot, monotonic_ns())
        with Subscriber(self._endpoint) as subscriber, zmq.Context.instance().socket(zmq.PUB) as poses:
            poses.setsockopt(zmq.LINGER, 0)
            poses.bind(self._poses)
            for tick in follow(subscriber, driver, label="person", max_age_ms=MAX_AGE_MS, keep_m=KEEP_M):
                self.ticks.append(tick)
                poses.send(" ".join(map(str, self._robot.pose)).encode())
                if self._is_over.is_set():
                    return

    def start_engine(self) -> None:
        command = [sys.executable, "-m", "edge_engine", "run", str(self._folder / "follow.yaml")]
        self.engine = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def kill_engine(self) -> None:
        self.engine.kill()
        self.engine.wait()

    def wait_moving(self) -> None:
        self._wait_for(lambda tick: not tick.reason, "moves")

    def wait_standing(self) -> None:
        self._wait_for(lambda tick: bool(tick.reason), "stands")

    def _wait_for(self, is_so: Callable[[Tick], bool], what: str) -> None:
        """That a turn of the loop from now on is so."""
        since = len(self.ticks)
        assert wait_until(lambda: any(map(is_so, self.ticks[since:])), PATIENCE_S), (
            f"never {what}: {self.why()}"
        )

    def why(self) -> str:
        return self.ticks[-1].reason if self.ticks else "no turn of the loop yet"

    def walk_to(self, left_m: float) -> None:
        self.camera.say(f"person {left_m}")

    def wait_facing(self, left_m: float) -> None:
        assert wait_until(lambda: self.off_rad(left_m) < _FACING_RAD, PATIENCE_S), self.why()

    def off_rad(self, left_m: float) -> float:
        """How far the robot really looks past a person who stands there."""
        pose: Pose = self._robot.pose
        return abs(math.atan2(left_m - pose.y, AHEAD_M - pose.x) - pose.heading)

    def pictures(self) -> list[Picture]:
        lines = (self._folder / "pictures").read_text().splitlines()
        return [Picture(*map(int, line.split())) for line in lines if len(line.split()) == 2]

    def freeze_camera(self, seconds: float) -> None:
        self._freeze(self.camera.signal, seconds)

    def freeze_engine(self, seconds: float) -> None:
        self._freeze(self.engine.send_signal, seconds)

    def _freeze(self, send: Callable[[signal.Signals], None], seconds: float) -> None:
        send(signal.SIGSTOP)
        time.sleep(seconds)
        send(signal.SIGCONT)

    def repeat_pictures(self, seconds: float) -> None:
        self.camera.say("repeat")
        time.sleep(seconds)
        self.camera.say("live")

    def restart_camera(self, seconds: float) -> None:
        self.camera.kill()
        time.sleep(seconds)
        self.camera.start()

    def restart_engine(self, seconds: float) -> None:
        self.kill_engine()
        time.sleep(seconds)
        self.start_engine()


class Judgement(NamedTuple):
    """Of the turns in which the robot moved: how many there were, how old the newest picture was at most when
    they began, by the camera's stamps, and how old the light that they went by, with pictures repeated."""

    moved: int
    stale: int
    oldest_ms: float
    oldest_light_ms: float


def judge(ticks: list[Tick], pictures: list[Picture]) -> Judgement:
    captured = [picture.captured_ns for picture in pictures]
    lights = {picture.captured_ns: picture.light_ns for picture in pictures}
    moved = [tick for tick in ticks if tick.command.is_moving]
    ages_ms, light_ages_ms = [0.0], [0.0]
    for tick in moved:
        newest = bisect_right(captured, tick.commanded_ns) - 1
        assert newest >= 0, "it moved before there was a picture"
        assert tick.captured_ns in lights, "it moved by a picture that the camera never took"
        # What it goes by is never newer than the newest that there is.
        ages_ms.append((tick.commanded_ns - min(tick.captured_ns, captured[newest])) / NS_PER_MS)
        light_ages_ms.append((tick.commanded_ns - lights[tick.captured_ns]) / NS_PER_MS)
    stale = sum(age_ms > MAX_AGE_MS for age_ms in ages_ms)
    return Judgement(len(moved), stale, max(ages_ms), max(light_ages_ms))
