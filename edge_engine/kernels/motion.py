"""motion: tracks' Kalman filters, in pixels and seconds.

A track's state is float64 [4, 5]: for each of centre x, centre y, aspect (width / height) and height its
value, its rate per second, the value's variance, the covariance of both, and the rate's variance. The filter
is that of SORT (Bewley et al. 2016, arXiv:1602.00763) with the noise of DeepSORT and ByteTrack (Zhang et al.
2021, arXiv:2110.06864). Boxes are float64 [n, 4], left, top, right, bottom, finite and with an area.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_engine.kernels.library import load

Floats = NDArray[np.float64]


def begin(boxes_xyxy: Floats) -> Floats:
    """States [n, 4, 5] of tracks that were seen once, at rest until they are seen again."""
    states = np.empty((len(boxes_xyxy), 4, 5))
    if len(states):
        load().begin_tracks(states, boxes_xyxy, len(states))
    return states


def predict(states: Floats, is_lost: NDArray[np.uint8], seconds: float) -> Floats:
    """Moves all states on by so many seconds, in place; the boxes [n, 4] that are expected then.

    `is_lost` uint8 [n]: 1 for those that were not seen in the picture before. Their height stays.
    """
    if is_lost.shape != (len(states),):
        raise ValueError(f"states {states.shape}, is_lost {is_lost.shape}")
    boxes_xyxy = np.empty((len(states), 4))
    if len(states):
        load().predict_tracks(states, is_lost, len(states), seconds, boxes_xyxy)
    return boxes_xyxy


def correct(states: Floats, rows: NDArray[np.int64], boxes_xyxy: Floats) -> None:
    """The states at these `rows`, int64 [n], each with the box in which its track was seen, in place."""
    if len(rows):
        if boxes_xyxy.shape != (len(rows), 4) or rows.min() < 0 or rows.max() >= len(states):
            raise ValueError(f"states {states.shape}, rows {rows}, boxes {boxes_xyxy.shape}")
        load().correct_tracks(states, len(states), rows, boxes_xyxy, len(rows))


def replay(
    states: Floats, seen_xyxy: Floats, boxes_xyxy: Floats, seconds: Floats, steps: NDArray[np.int64]
) -> None:
    """Brings the states of tracks that were last seen in `seen_xyxy`, so many `seconds` ago, to the box in
    which each is seen again, in place, as if it had moved there evenly in so many `steps`: OC-SORT's
    observation-centric re-update (Cao et al. 2022, arXiv:2203.14360). All arrays have n rows."""
    n = len(states)
    if seen_xyxy.shape != (n, 4) or boxes_xyxy.shape != (n, 4) or seconds.shape != steps.shape != (n,):
        raise ValueError(f"states {states.shape}, boxes {seen_xyxy.shape} and {boxes_xyxy.shape}")
    if n:
        load().replay_tracks(states, seen_xyxy, boxes_xyxy, seconds, steps, n)
