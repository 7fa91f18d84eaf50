"""Robots: what is moved, simulated: a pan-tilt head and a rover, behind a driver with a watchdog."""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

from edge_engine.clock import NS_PER_S
from tools.follow.steering import STOP, Command


class Pose(NamedTuple):
    """Where the camera is and looks: metres and radians from where it began, x forward, y and heading to the
    left, tilt up."""

    x: float = 0.0
    y: float = 0.0
    heading: float = 0.0
    tilt: float = 0.0


class Axis:
    """A motor: it takes time to reach a speed and to stop, and has an end, `most`, on both sides."""

    def __init__(self, acceleration: float, most: float = math.inf) -> None:
        self._acceleration = acceleration
        self._most = most
        self.value = 0.0
        self.speed = 0.0

    def move(self, wanted: float, seconds: float) -> float:
        """How far it went in that time, on its way to the wanted speed and then at it."""
        change, before = self._acceleration * seconds, self.speed
        self.speed += max(-change, min(change, wanted - before))
        changing_s = abs(self.speed - before) / self._acceleration
        there = self.value + (before + self.speed) / 2 * changing_s + self.speed * (seconds - changing_s)
        moved = max(-self._most, min(self._most, there)) - self.value
        self.value += moved
        return moved


class Robot(Protocol):
    @property
    def pose(self) -> Pose: ...

    def move(self, command: Command, seconds: float) -> None: ...


class PanTilt:
    """A camera's head."""

    def __init__(self) -> None:
        self._pan = Axis(acceleration=8.0, most=math.radians(170))
        self._tilt = Axis(acceleration=8.0, most=math.radians(45))

    @property
    def pose(self) -> Pose:
        return Pose(heading=self._pan.value, tilt=self._tilt.value)

    def move(self, command: Command, seconds: float) -> None:
        self._pan.move(command.turn_rad_s, seconds)
        self._tilt.move(command.tilt_rad_s, seconds)


class Rover:
    """Two driven wheels, so far apart, and a fixed camera: differential drive."""

    track_m = 0.4
    most_m_s = 1.0

    def __init__(self) -> None:
        self._left, self._right = Axis(acceleration=2.0), Axis(acceleration=2.0)
        self.pose = Pose()

    def move(self, command: Command, seconds: float) -> None:
        apart = command.turn_rad_s * self.track_m / 2
        left, right = command.forward_m_s - apart, command.forward_m_s + apart
        share = min(1.0, self.most_m_s / max(abs(left), abs(right), self.most_m_s))
        left, right = self._left.move(share * left, seconds), self._right.move(share * right, seconds)
        x, y, heading, _ = self.pose
        turned, ahead = (right - left) / self.track_m, (left + right) / 2
        middle = heading + turned / 2
        self.pose = Pose(x + ahead * math.cos(middle), y + ahead * math.sin(middle), heading + turned)


class Driver:
    """Between loop and motors: a command counts until it expires, whether or not the loop says more."""

    def __init__(self, robot: Robot, now_ns: int) -> None:
        self.robot = robot
        self._now_ns = now_ns
        self._held = STOP

    def obey(self, command: Command, now_ns: int) -> Command:
        """What holds from now on: the command, or STOP if it has expired."""
        until_ns = max(self._now_ns, min(now_ns, self._held.expires_ns))
        self.robot.move(self._held, (until_ns - self._now_ns) / NS_PER_S)
        self.robot.move(STOP, (now_ns - until_ns) / NS_PER_S)
        self._now_ns, self._held = now_ns, command if now_ns < command.expires_ns else STOP
        return self._held
