"""A camera on a robot, that sees a person: `python -m tests.rigs.person_camera …`, READY <port>.

Its pictures go out by ZeroMQ, none without a sensor's noise. The person is a cut-out of the demo's clip,
upright on the ground, some metres ahead. Where the robot is comes as `x y heading tilt` over ZeroMQ from
--pose: its motion moves the picture. --log gets, before a picture is sent, two stamps of CLOCK_MONOTONIC: the
one that goes with it, and when its light really was. Lines on stdin: `person Y` (it walks there, metres to
the left), `repeat` (the last picture over and over, with new stamps), `live`.
"""

from __future__ import annotations

import argparse
import math
import sys
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import zmq
from numpy.typing import NDArray

from edge_engine.sender import FrameSender
from tests import clip
from tools.follow.robots import Pose

Image = NDArray[np.uint8]
Place = tuple[float, float]

SIZE = (640, 480)
HFOV_DEG = 60.0
HEIGHT_M = 1.0
TALL_M = 1.7
AHEAD_M = 6.0
FPS = 20
_WALKING_M_S = 1.0
_FOCAL = SIZE[0] / 2 / math.tan(math.radians(HFOV_DEG / 2))
_FRAME, _CUT_OUT = 119, (slice(2, 272), slice(380, 450))
_NEAREST_M = 2.0


def cut_out() -> Image:
    video = cv2.VideoCapture(str(clip.clip_path()))
    for _ in range(_FRAME + 1):
        _, image = video.read()
    return np.ascontiguousarray(image[_CUT_OUT])


def render(person: Image, place: Place, pose: Pose, rng: np.random.Generator) -> Image:
    picture = np.full((SIZE[1], SIZE[0], 3), 110, np.uint8)
    ahead, aside = place[0] - pose.x, place[1] - pose.y
    depth = ahead * math.cos(pose.heading) + aside * math.sin(pose.heading)
    left = aside * math.cos(pose.heading) - ahead * math.sin(pose.heading)
    if depth > _NEAREST_M / 2:
        scale = _FOCAL * TALL_M / max(depth, _NEAREST_M) / person.shape[0]
        small = cv2.resize(person, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        middle = round(SIZE[0] / 2 - _FOCAL * left / depth)
        foot = round(SIZE[1] / 2 + _FOCAL * (HEIGHT_M / depth + math.tan(pose.tilt)))
        _paste(picture, small, middle - small.shape[1] // 2, foot - small.shape[0])
    noise = rng.integers(0, 6, picture.shape, np.uint8)
    return cv2.add(picture, noise)


def _paste(picture: Image, part: Image, x: int, y: int) -> None:
    height, width = part.shape[:2]
    left, top = max(0, x), max(0, y)
    right, bottom = min(SIZE[0], x + width), min(SIZE[1], y + height)
    if left < right and top < bottom:
        picture[top:bottom, left:right] = part[top - y : bottom - y, left - x : right - x]


class Scene:
    """What the main thread shows, as stdin's thread has been told."""

    def __init__(self) -> None:
        self.is_repeating = False
        self.goal_m = self._left_m = 0.0

    def person(self) -> Place:
        """A step further on its way."""
        step = _WALKING_M_S / FPS
        self._left_m += max(-step, min(step, self.goal_m - self._left_m))
        return AHEAD_M, self._left_m

    def obey(self) -> None:
        for line in sys.stdin:
            word, *rest = line.split()
            if word == "person":
                self.goal_m = float(rest[0])
            else:
                self.is_repeating = word == "repeat"


def latest_pose(socket: zmq.Socket[bytes], pose: Pose) -> Pose:
    while socket.poll(0):
        pose = Pose(*map(float, socket.recv().split()))
    return pose


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--pose", required=True)
    parser.add_argument("--log", type=Path, required=True)
    arguments = parser.parse_args()
    person, rng, scene, pose = cut_out(), np.random.default_rng(0), Scene(), Pose()
    poses: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.SUB)
    poses.subscribe(b"")
    poses.connect(arguments.pose)
    threading.Thread(target=scene.obey, daemon=True).start()
    with FrameSender(f"tcp://127.0.0.1:{arguments.port or '*'}") as sender, arguments.log.open("a") as log:
        print("READY", sender.endpoint.rpartition(":")[2], flush=True)  # noqa: T201
        picture, light_ns = None, 0
        while True:
            pose, now_ns = latest_pose(poses, pose), time.monotonic_ns()
            if picture is None or not scene.is_repeating:
                picture, light_ns = render(person, scene.person(), pose, rng), now_ns
            print(now_ns, light_ns, file=log, flush=True)
            sender.send(picture, captured_ns=now_ns)
            time.sleep(1 / FPS)


if __name__ == "__main__":
    main()
