"""regions: points in polygons, and steps across lines."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_engine.kernels.library import load


class Shapes(NamedTuple):
    """k shapes one behind the other: shape i has the `corners` (float64 [m, 2]) from `starts`[i] up to
    `starts`[i + 1] (int64 [k + 1]), and is about each object's point number `which`[i] (int64 [k])."""

    corners: NDArray[np.float64]
    starts: NDArray[np.int64]
    which: NDArray[np.int64]


def points_in_polygons(points: NDArray[np.float64], polygons: Shapes) -> NDArray[np.bool_]:
    """bool [n, k]: which of n objects' points (float64 [n, a, 2]) lie in which polygons, edges included."""
    corners, starts, which = polygons
    inside = np.zeros((len(points), len(which)), np.uint8)
    if inside.size:
        load().points_in_polygons(points, *points.shape[:2], which, corners, starts, len(which), inside)
    return inside.view(np.bool_)


def steps_across_lines(
    before: NDArray[np.float64], after: NDArray[np.float64], lines: Shapes
) -> NDArray[np.int64]:
    """int64 [n, k]: how often the straight way from `before` (float64 [n, k, 2], by line) to `after`
    (float64 [n, a, 2]) crosses each line from left to right, less how often from right to left, where y grows
    downwards.

    All points are taken as if they were moved by an infinitesimal (ε, ε²): so none lies on a line, no way
    goes through a corner, and the ways that a path is made of add up. From NaN none is crossed.
    """
    corners, starts, which = lines
    if before.shape != (len(after), len(which), 2):
        raise ValueError(f"from {before.shape} to {after.shape} across {len(which)} lines")
    crossed = np.zeros(before.shape[:2], np.int64)
    if crossed.size:
        load().steps_across_lines(
            before, after, *after.shape[:2], which, corners, starts, len(which), crossed
        )
    return crossed
