"""overlaps: how well tracks' boxes and detections fit, and the pairs that are beyond doubt."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_engine.kernels.library import load

NONE, OPEN = -1, -2
"""What `partners` and `owners` say in place of an index: nobody, and: not settled here."""


class Pairing(NamedTuple):
    """`gains` float64 [n, m]; `partners` int64 [n] and `owners` int64 [m] point at each other; `left`: how
    many partners are OPEN."""

    gains: NDArray[np.float64]
    partners: NDArray[np.int64]
    owners: NDArray[np.int64]
    left: int


def pair(
    tracks_xyxy: NDArray[np.float64],
    track_classes: NDArray[np.int32],
    boxes_xyxy: NDArray[np.float64],
    classes: NDArray[np.int32],
    weights: NDArray[np.float64],
    limit: float,
) -> Pairing:
    """Pairs n tracks' boxes with m others of the same class, n and m at least 1.

    The cost of a pair is 1 - IoU · the detection's weight; what it gains is `limit` less that cost, 0 where
    the cost is above `limit` or the classes differ. Sought are the pairs of the largest sum of gains. Those
    are settled here that lie in such an optimum whatever the rest does, which with tracks of real objects is
    nearly all; an optimum of what is left OPEN completes one of the whole.
    """
    n, m = len(tracks_xyxy), len(boxes_xyxy)
    if not (n and m and len(track_classes) == n and len(classes) == len(weights) == m):
        raise ValueError(f"tracks {tracks_xyxy.shape}, boxes {boxes_xyxy.shape}, weights {weights.shape}")
    gains, partners, owners = np.empty((n, m)), np.empty(n, np.int64), np.empty(m, np.int64)
    tops, best = np.empty((n + m, 2)), np.empty(n + m, np.int64)
    left = load().pair_boxes(
        tracks_xyxy,
        track_classes,
        n,
        boxes_xyxy,
        classes,
        weights,
        m,
        limit,
        gains,
        partners,
        owners,
        tops,
        best,
    )
    return Pairing(gains, partners, owners, left)
