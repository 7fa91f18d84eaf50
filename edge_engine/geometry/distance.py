"""Distance: from sights to places on the ground, with their covariance.

With the camera at height h, bearing β, and slope s, the tangent of the elevation, of an object's foot or top:

    ground:   D = -h / s_foot                         the foot stands on the ground plane
    height:   D = H / (s_top - s_foot)                the whole of an object of height H is seen
              D = (H - h) / s_top                     its foot isn't seen, and stands on the ground plane
    place:    (D cos β, D sin β, z)                   z = 0, or where the foot was seen

Errors are propagated to first order (JCGM 100:2008, 5.1.2): as each input is off by its standard deviation,
what follows shifts by its derivative times that, and a covariance is the sum of the products of such shifts.
Of D = -h/s, for one, they are h/s² · ds and -1/s · dh. Where that says little of the truth, there is no
distance.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_engine.geometry.lens import Floats
from edge_engine.geometry.mounting import Sights

MOST_STD_SHARE = 1 / 3
"""Of a distance; beyond it, the true one is far from evenly spread around what is computed."""

_SHARED = slice(2, None)  # focal length and mounting, one error for all rays of a picture


class Places(NamedTuple):
    """Of n objects, NaN for those that have none, in metres: `distances` [n] over the ground from below the
    camera, their `stds`, `positions` [n, 3] of feet and `covariances` [n, 3, 3]."""

    distances: Floats
    stds: Floats
    positions: Floats
    covariances: Floats

    def put(self, which: NDArray[np.int64], others: Places) -> None:
        for mine, theirs in zip(self, others, strict=True):
            mine[which] = theirs


def by_ground(feet: Sights, height_m: float, height_std_m: float) -> Places:
    slopes = np.where(feet.slopes < 0, feet.slopes, np.nan)
    distances = -height_m / slopes
    by_height = (-height_std_m / slopes)[:, None]
    d_distances = np.concatenate([(-distances / slopes)[:, None] * feet.d_slopes, by_height], axis=1)
    return _places(distances, d_distances, feet.bearings, _extended(feet.d_bearings, 1))


def by_whole_height(
    tops: Sights, feet: Sights, tall_m: Floats, tall_std_m: Floats, height_m: float, height_std_m: float
) -> Places:
    """`tall_m`, `tall_std_m` [n]: the objects' own height."""
    rise = tops.slopes - feet.slopes
    rise = np.where(rise > 0, rise, np.nan)
    distances = tall_m / rise
    d_tops, d_feet = _apart(tops.d_slopes, feet.d_slopes)
    none = np.zeros((len(rise), 1))
    d_distances = np.concatenate(
        [-(distances / rise)[:, None] * (d_tops - d_feet), (tall_std_m / rise)[:, None], none], axis=1
    )
    d_feet, d_bearings = _extended(d_feet, 2), _extended(_apart(tops.d_bearings, feet.d_bearings)[1], 2)
    d_z = feet.slopes[:, None] * d_distances + distances[:, None] * d_feet
    d_z[:, -1] += height_std_m
    z = height_m + distances * feet.slopes
    return _places(distances, d_distances, feet.bearings, d_bearings, z, d_z)


def by_top(tops: Sights, tall_m: Floats, tall_std_m: Floats, height_m: float, height_std_m: float) -> Places:
    over = tall_m - height_m
    distances = np.where(over * tops.slopes > 0, over, np.nan) / tops.slopes
    by_heights = np.stack([tall_std_m, np.full(len(over), -height_std_m)], axis=1) / tops.slopes[:, None]
    d_distances = np.concatenate([-(distances / tops.slopes)[:, None] * tops.d_slopes, by_heights], axis=1)
    return _places(distances, d_distances, tops.bearings, _extended(tops.d_bearings, 2))


def _places(
    distances: Floats,
    d_distances: Floats,
    bearings: Floats,
    d_bearings: Floats,
    z: Floats | None = None,
    d_z: Floats | None = None,
) -> Places:
    """`d_…` [n, k]: the shifts by k independent errors."""
    cosine, sine = np.cos(bearings), np.sin(bearings)
    x, y = distances * cosine, distances * sine
    stds = np.sqrt(np.einsum("nk,nk->n", d_distances, d_distances))
    distances = np.where(stds <= MOST_STD_SHARE * distances, distances, np.nan)
    shifts = np.zeros((*d_distances.shape, 3))
    shifts[..., 0] = cosine[:, None] * d_distances - y[:, None] * d_bearings
    shifts[..., 1] = sine[:, None] * d_distances + x[:, None] * d_bearings
    positions = np.stack([x, y, np.zeros_like(x) if z is None else z], axis=1)
    if d_z is not None:
        shifts[..., 2] = d_z
    is_lost = np.isnan(distances)
    stds[is_lost], positions[is_lost] = np.nan, np.nan
    return Places(distances, stds, positions, shifts.transpose(0, 2, 1) @ shifts)


def _apart(d_tops: Floats, d_feet: Floats) -> tuple[Floats, Floats]:
    """Shifts [n, 6] of two rays as [n, 8] of the same errors: the pixels of each are its own."""
    n = len(d_tops)
    none = np.zeros((n, 2))
    tops = np.concatenate([d_tops[:, :2], none, d_tops[:, _SHARED]], axis=1)
    return tops, np.concatenate([none, d_feet[:, :2], d_feet[:, _SHARED]], axis=1)


def _extended(shifts: Floats, more: int) -> Floats:
    return np.concatenate([shifts, np.zeros((len(shifts), more))], axis=1)
