"""View: the angles at which a camera without distortion sees what is in its picture."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Radians: TypeAlias = NDArray[np.float64]


def angles_of(boxes_xyxy: NDArray[np.float32], size: tuple[int, int], hfov_deg: float) -> Radians:
    """float64 [n, 4]: left, top, right, bottom as angles from the picture's middle, to the right and down;
    `size` is the picture's (width, height), whose pixels are square."""
    width, height = size
    focal_px = width / 2 / math.tan(math.radians(hfov_deg) / 2)
    middle = np.array([width, height, width, height]) / 2
    return np.arctan((boxes_xyxy - middle) / focal_px)
