"""Publishing: the objects of a picture with what their tracks know of them."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from edge_engine.result import Objects, Tracking, TrackState
from edge_engine.tracking.tracks import Tracks

N = TypeVar("N", bound=np.generic)

_RATE, _RATE_VARIANCE = 1, 4  # of a filter, as kernels.motion has it


def published(tracks: Tracks, objects: Objects, with_lost: bool) -> Objects:
    """The objects that are tracks' `rows`, in their order; then the lost tracks where they are expected, with
    score 0, and with zeros for keypoints and masks."""
    seen = np.flatnonzero(tracks.rows >= 0)
    seen = seen[np.argsort(tracks.rows[seen])]
    lost = np.flatnonzero(tracks.states == TrackState.LOST) if with_lost else seen[:0]
    rows, who = tracks.rows[seen], np.concatenate([seen, lost])
    covariances = np.zeros((len(who), 2, 2), np.float32)
    for axis in (0, 1):
        covariances[:, axis, axis] = tracks.filters[who, axis, _RATE_VARIANCE]
    velocities = tracks.filters[who, :2, _RATE].astype(np.float32)
    return Objects(
        np.concatenate([objects.boxes_xyxy[rows], tracks.boxes_xyxy[lost].astype(np.float32)]),
        _extended(objects.scores[rows], len(lost)),
        np.concatenate([objects.class_ids[rows], tracks.class_ids[lost]]),
        None if objects.keypoints is None else _extended(objects.keypoints[rows], len(lost)),
        None if objects.masks is None else _extended(objects.masks[rows], len(lost)),
        Tracking(tracks.ids[who], tracks.states[who], velocities, covariances),
    )


def _extended(array: NDArray[N], n: int) -> NDArray[N]:
    """With n rows of zeros behind."""
    return np.concatenate([array, np.zeros((n, *array.shape[1:]), array.dtype)]) if n else array
