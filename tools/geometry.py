"""python -m tools.geometry [--objects 50]: how long a picture's objects take to get metres and degrees."""

from __future__ import annotations

import argparse
import time

import numpy as np

from edge_engine.config import CameraConfig, IntrinsicsConfig
from edge_engine.geometry.camera import CameraGeometry
from edge_engine.result import Objects

_SIZE, _LABELS = (640, 480), ("person",)
_PINHOLE = IntrinsicsConfig(fx=600, fy=600, cx=320, cy=240, size=_SIZE, distortion=(-0.3, 0.1, 0, 0, 0))
_FISHEYE = IntrinsicsConfig(
    fx=280, fy=280, cx=320, cy=240, size=_SIZE, model="fisheye", distortion=(-0.02, 0.006, -0.003, 0)
)
CAMERAS = {
    "angle of view alone": CameraConfig(hfov_deg=70, height_m=1.2),
    "pinhole": CameraConfig(intrinsics=_PINHOLE, height_m=1.2),
    "fisheye": CameraConfig(intrinsics=_FISHEYE, height_m=1.2),
    "pinhole, heights": CameraConfig(intrinsics=_PINHOLE, height_m=1.2, heights_m={"person": 1.7}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=50)
    parser.add_argument("--pictures", type=int, default=2000)
    arguments = parser.parse_args()
    for name, camera in CAMERAS.items():
        show(name, CameraGeometry(camera, _LABELS, "a"), arguments.objects, arguments.pictures)


def show(name: str, geometry: CameraGeometry, n: int, pictures: int) -> None:
    """Wall clock, and the thread's own time, which a busy machine doesn't lengthen as much."""
    rng, clocks = np.random.default_rng(0), (time.perf_counter_ns, time.thread_time_ns)
    corners, sides = rng.uniform((20, 20), (500, 350), (n, 2)), rng.uniform(20, 100, (n, 2))
    boxes_xyxy = np.concatenate([corners, corners + sides], axis=1).astype(np.float32)
    objects = Objects(boxes_xyxy, np.ones(n, np.float32), np.zeros(n, np.int32))
    took_ms = []
    for _ in range(pictures):
        started_ns = [clock() for clock in clocks]
        geometry.measure(objects, _LABELS, _SIZE)
        took_ms.append([(clock() - then_ns) / 1e6 for clock, then_ns in zip(clocks, started_ns, strict=True)])
    (median, cpu_median), (slow, cpu_slow) = np.percentile(took_ms[20:], [50, 99], axis=0)
    print(f"{n} objects, {name}: median {median:.3f} ms, p99 {slow:.3f} ms", end="; ")
    print(f"CPU time median {cpu_median:.3f} ms, p99 {cpu_slow:.3f} ms")


if __name__ == "__main__":
    main()
