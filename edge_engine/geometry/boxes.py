"""Boxes: which of their points are looked at, and how far off each may be.

A box that ends at the picture's edge is a part of an object: the rest of it lies beyond.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_engine.geometry.lens import Floats, Size

# So near the picture's edge, in shares of its sides, a box is taken to be cut off by it.
_EDGE = 0.01
# DeepSORT's filter takes a box to be off by a twentieth of its height.
_STD_OF_HEIGHT, _LEAST_STD_PX = 1 / 20, 1.0


class BoxPoints(NamedTuple):
    """Of n boxes: `middles`, `feet` and `tops` [n, 2], pixels on the box's middle line; `middle_stds` and
    `end_stds` [n, 2], standard deviations of their x and y; which have no foot or no top in the picture."""

    middles: Floats
    feet: Floats
    tops: Floats
    middle_stds: Floats
    end_stds: Floats
    has_no_foot: NDArray[np.bool_]
    has_no_top: NDArray[np.bool_]


def points_of(boxes_xyxy: Floats, size: Size, std_px: float | None) -> BoxPoints:
    """`std_px` of the boxes' sides; None takes what is usual for their height."""
    left, top, right, bottom = boxes_xyxy.T
    width, height = size
    x, across, along = (left + right) / 2, right - left, bottom - top
    stds = np.maximum(_LEAST_STD_PX, _STD_OF_HEIGHT * along) if std_px is None else np.full(len(x), std_px)
    is_cut_across = (left <= _EDGE * width) | (right >= (1 - _EDGE) * width)
    has_no_top, has_no_foot = top <= _EDGE * height, bottom >= (1 - _EDGE) * height
    x_stds = np.where(is_cut_across, np.hypot(stds, across / 2), stds)
    y_stds = np.where(has_no_top | has_no_foot, np.hypot(stds, along / 2), stds)
    return BoxPoints(
        middles=np.stack([x, (top + bottom) / 2], axis=1),
        feet=np.stack([x, bottom], axis=1),
        tops=np.stack([x, top], axis=1),
        middle_stds=np.stack([x_stds, y_stds], axis=1),
        end_stds=np.stack([x_stds, stds], axis=1),
        has_no_foot=has_no_foot,
        has_no_top=has_no_top,
    )
