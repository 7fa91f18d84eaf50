"""overlaps: how well tracks' boxes and detections fit, and the pairs that are beyond doubt."""

from __future__ import annotations

from typing import Any

from numba import carray
from numpy.typing import NDArray

from edge_engine.kernels.native import part

NONE, OPEN = -1, -2
_SWEEPS = 4
_BEST, _SECOND = 0, 1


@part
def _iou(a: NDArray[Any], b: NDArray[Any]) -> float:
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if not (width > 0 and height > 0):
        return 0.0
    overlap = width * height
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - overlap
    return float(overlap / union)


@part
def _note(tops: NDArray[Any], best_of: NDArray[Any], i: int, gain: float, other: int) -> None:
    """Keeps the best and the second best gain of one row or column, and whose the best is."""
    if gain > tops[i, _BEST]:
        tops[i, _SECOND] = tops[i, _BEST]
        tops[i, _BEST] = gain
        best_of[i] = other
    elif gain > tops[i, _SECOND]:
        tops[i, _SECOND] = gain


@part
def _sweep(
    gains: NDArray[Any],
    partners: NDArray[Any],
    owners: NDArray[Any],
    row_tops: NDArray[Any],
    column_tops: NDArray[Any],
    row_best: NDArray[Any],
    column_best: NDArray[Any],
) -> int:
    """Pairs what gains at least as much as the best that both could have elsewhere, together: taking such a
    pair apart never pays. Returns how many rows were settled."""
    n, m = gains.shape
    row_tops[:] = 0.0
    column_tops[:] = 0.0
    for i in range(n):
        if partners[i] == OPEN:
            for j in range(m):
                if gains[i, j] > 0 and owners[j] == OPEN:
                    _note(row_tops, row_best, i, gains[i, j], j)
                    _note(column_tops, column_best, j, gains[i, j], i)
    settled = 0
    for i in range(n):
        if partners[i] != OPEN:
            continue
        gain, j = row_tops[i, _BEST], row_best[i]
        if gain <= 0:
            partners[i] = NONE
            settled += 1
            continue
        elsewhere = column_tops[j, _SECOND] if column_best[j] == i else column_tops[j, _BEST]
        if owners[j] == OPEN and gain >= row_tops[i, _SECOND] + elsewhere:
            partners[i], owners[j] = j, i
            settled += 1
    return settled


def pair_boxes(
    tracks_address: Any,  # noqa: ANN401 - numba's pointers
    track_classes_address: Any,  # noqa: ANN401
    n: int,
    boxes_address: Any,  # noqa: ANN401
    classes_address: Any,  # noqa: ANN401
    weights_address: Any,  # noqa: ANN401
    m: int,
    limit: float,
    gains_address: Any,  # noqa: ANN401
    partners_address: Any,  # noqa: ANN401
    owners_address: Any,  # noqa: ANN401
    tops_address: Any,  # noqa: ANN401
    best_address: Any,  # noqa: ANN401
) -> int:
    """The contract is that of edge_engine.kernels.overlaps.pair. Scratch: tops float64 [n + m, 2], best
    int64 [n + m]. Returns how many rows remain open."""
    tracks, boxes_xyxy = carray(tracks_address, (n, 4)), carray(boxes_address, (m, 4))
    track_classes, classes = carray(track_classes_address, (n,)), carray(classes_address, (m,))
    weights, gains = carray(weights_address, (m,)), carray(gains_address, (n, m))
    partners, owners = carray(partners_address, (n,)), carray(owners_address, (m,))
    tops, best = carray(tops_address, (n + m, 2)), carray(best_address, (n + m,))
    for i in range(n):
        for j in range(m):
            gain = 0.0
            if track_classes[i] == classes[j]:
                gain = limit - (1.0 - _iou(tracks[i], boxes_xyxy[j]) * weights[j])
            gains[i, j] = gain if gain > 0 else 0.0
    partners[:] = OPEN
    owners[:] = OPEN
    left = n
    for _ in range(_SWEEPS):
        settled = _sweep(gains, partners, owners, tops[:n], tops[n:], best[:n], best[n:])
        left -= settled
        if settled == 0 or left == 0:
            break
    return left
