"""Sectors: objects around a vehicle as the distances of OBSTACLE_DISTANCE.

Element i is the sector of 5° whose middle is 5° · i clockwise from forward. Where nothing is recognised is
unknown, not free: a detector sees only what it was taught.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

SECTORS = 72
SECTOR_DEG = 360 // SECTORS
UNKNOWN = 65_535

Degrees: TypeAlias = NDArray[np.floating]
Sectors: TypeAlias = NDArray[np.uint16]

_MIDDLES_DEG = np.arange(SECTORS) * float(SECTOR_DEG)


def sectors_cm(
    bearings_deg: Degrees, widths_deg: Degrees, distances_m: NDArray[np.floating], least_cm: int, most_cm: int
) -> Sectors:
    """Of n objects, uint16 [72]: the nearest one in each sector, in centimetres, or UNKNOWN.

    `bearings_deg` [n] of their middles, clockwise from forward; an object reaches half of `widths_deg` to
    either side. What is nearer than `least_cm` counts as that near, for autopilots ignore less; what is
    farther than `most_cm`, or at no known distance (NaN), is left out.
    """
    far_cm = np.asarray(distances_m, np.float64) * 100
    is_known = (far_cm <= most_cm) & np.isfinite(bearings_deg) & np.isfinite(widths_deg)
    if not is_known.any():
        return np.full(SECTORS, UNKNOWN, np.uint16)
    off_deg = _MIDDLES_DEG[:, None] - np.asarray(bearings_deg, np.float64)[is_known]
    off_deg = np.abs((off_deg + 180) % 360 - 180)
    is_there = off_deg <= (widths_deg[is_known] + SECTOR_DEG) / 2
    near_cm = np.maximum(np.round(far_cm[is_known]), least_cm)
    nearest: Sectors = np.where(is_there, near_cm, UNKNOWN).min(axis=1).astype(np.uint16)
    return nearest
