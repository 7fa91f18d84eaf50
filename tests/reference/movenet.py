"""decode_movenet: MoveNet's outputs read one pose and one point at a time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Pose(NamedTuple):
    """`box` left, top, right, bottom and `points` (x, y, score) in input pixels."""

    score: float
    box: tuple[float, float, float, float]
    points: list[tuple[float, float, float]]


def decode_single(
    output: NDArray[np.float32],
    size: tuple[int, int],
    keypoint_threshold: float,
    score_threshold: float,
) -> list[Pose]:
    """Of [1, 1, 17, 3]: one pose or none."""
    points = [(float(x) * size[0], float(y) * size[1], float(score)) for y, x, score in output[0, 0]]
    seen = [point for point in points if point[2] >= keypoint_threshold]
    if len(seen) < 2:
        return []
    xs, ys = [point[0] for point in seen], [point[1] for point in seen]
    score = sum(point[2] for point in seen) / len(seen)
    box = (min(xs), min(ys), max(xs), max(ys))
    has_area = box[0] < box[2] and box[1] < box[3]
    return [Pose(score, box, points)] if has_area and score >= score_threshold else []


def decode_multi(output: NDArray[np.float32], size: tuple[int, int], score_threshold: float) -> list[Pose]:
    """Of [1, people, 56]: the poses above the threshold, best first."""
    poses = []
    for row in output[0]:
        points = [
            (float(row[3 * i + 1]) * size[0], float(row[3 * i]) * size[1], float(row[3 * i + 2]))
            for i in range(17)
        ]
        top, left, bottom, right, score = (float(value) for value in row[51:])
        if score >= score_threshold and right > left and bottom > top:
            box = (left * size[0], top * size[1], right * size[0], bottom * size[1])
            poses.append(Pose(score, box, points))
    return sorted(poses, key=lambda pose: -pose.score)
