"""faces: what the face detectors have in common: their points, and grids of anchors that give them.

Left and right are the person's own, as in COCO: the right eye is the one on the picture's left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_engine.errors import ModelError
from edge_engine.models.families.candidates import Candidates
from edge_engine.models.families.outputs import misfit as misfit_of
from edge_engine.models.spec import ModelSpec
from edge_engine.result import Objects

Shapes = dict[str, tuple[int, ...]]

LABELS = ("face",)
FIVE_POINTS = ("right_eye", "left_eye", "nose", "right_mouth", "left_mouth")
SIX_POINTS = ("right_eye", "left_eye", "nose", "mouth", "right_ear", "left_ear")


class AnchorGrid(NamedTuple):
    """One stride's grid of cells, each with `per_cell` anchors, and the outputs that hold a row for each.

    `first`: how many anchors the grids before it have. `outputs`: indexes of the outputs, by the width of
    their rows.
    """

    stride: int
    width: int
    per_cell: int
    first: int
    anchors: int
    outputs: dict[int, list[int]]


def grids(
    shapes: Shapes, size: tuple[int, int], strides: Sequence[int], per_cell: int, wide: Collection[int]
) -> list[AnchorGrid]:
    """The grids of an input of `size` (width, height), and their outputs with rows so `wide`."""
    found: list[AnchorGrid] = []
    first = 0
    for stride in strides:
        width = -(-size[0] // stride)
        anchors = width * -(-size[1] // stride) * per_cell
        outputs: dict[int, list[int]] = {}
        for index, shape in enumerate(shapes.values()):
            if has_rows(shape, wide) and shape[-2] == anchors:
                outputs.setdefault(shape[-1], []).append(index)
        found.append(AnchorGrid(stride, width, per_cell, first, anchors, outputs))
        first += anchors
    return found


def of_one_picture(shapes: Shapes) -> Shapes:
    """The shapes that a graph declares, with 1 for a first dimension that is free."""
    return {name: (shape[0] or 1, *shape[1:]) if shape else shape for name, shape in shapes.items()}


def has_rows(shape: tuple[int, ...], wide: Collection[int]) -> bool:
    """Whether a shape is that of one picture's rows, [1, rows, width] or [rows, width], of such a width."""
    return (len(shape) == 2 or (len(shape) == 3 and shape[0] == 1)) and shape[-1] in wide


def widths(shapes: Shapes, wide: Collection[int]) -> Counter[int]:
    """How many outputs there are with rows of each of these widths."""
    return Counter(shape[-1] for shape in shapes.values() if has_rows(shape, wide))


def corners(grids: Sequence[AnchorGrid]) -> NDArray[np.float32]:
    """Of every anchor, float32 [anchors, 3]: x and y of its cell's corner in input pixels, and its stride."""
    parts = []
    for grid in grids:
        y, x = np.divmod(np.arange(grid.anchors) // grid.per_cell, grid.width)
        parts.append(np.stack([x * grid.stride, y * grid.stride, np.full_like(x, grid.stride)], axis=1))
    return np.concatenate(parts).astype(np.float32)


def points(
    offsets: Sequence[NDArray[np.float32]],
    grids: Sequence[AnchorGrid],
    corners: NDArray[np.float32],
    rows: NDArray[np.integer],
) -> NDArray[np.float32]:
    """Points float32 [n, k, 2] in input pixels of the anchors `rows`, counted through all grids.

    `offsets`: per grid float32 [anchors, 2 * k], x and y from the cell's corner in strides.
    """
    found = np.empty((len(rows), offsets[0].shape[1]), np.float32)
    for grid, its_offsets in zip(grids, offsets, strict=True):
        is_here = (rows >= grid.first) & (rows < grid.first + grid.anchors)
        found[is_here] = its_offsets[rows[is_here] - grid.first]
    anchors = corners[rows][:, None]
    with np.errstate(over="ignore"):
        points = found.reshape(len(rows), found.shape[1] // 2, 2) * anchors[..., 2:] + anchors[..., :2]
    return np.asarray(points, np.float32)


def objects(
    found: Candidates,
    kept: NDArray[np.int64],
    outputs: Sequence[NDArray[Any]],
    grids: Sequence[AnchorGrid],
    corners: NDArray[np.float32],
) -> Objects:
    """The faces `kept` of the candidates, with the points of the outputs that are 10 wide."""
    offsets = [outputs[grid.outputs[10][0]].reshape(-1, 10) for grid in grids]
    kept_points = points(offsets, grids, corners, found.rows[kept])
    return found.objects(kept, with_scores(kept_points, found.scores[kept]))


def with_scores(points: NDArray[np.float32], scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Keypoints float32 [n, k, 3] of points [n, k, 2]: no model here rates its points, so each has the score
    of its face, `scores` [n]."""
    keypoints = np.empty((*points.shape[:2], 3), np.float32)
    keypoints[..., :2], keypoints[..., 2] = points, scores[:, None]
    return keypoints


def check_labels(spec: ModelSpec, keypoints: int) -> None:
    """ModelError unless the spec names one class, and all its keypoints or none."""
    if len(spec.labels) != 1:
        raise ModelError(
            f"model {spec.name}: {len(spec.labels)} labels; the {spec.family} family finds one class, "
            "expected one label, such as face"
        )
    if len(spec.keypoint_names) not in (0, keypoints):
        expected = f"{keypoints} or none" if keypoints else "none"
        raise ModelError(f"model {spec.name}: {len(spec.keypoint_names)} keypoint_names; expected {expected}")


def misfit(spec: ModelSpec, shapes: Shapes, expected: str) -> ModelError:
    return misfit_of(spec, spec.family, shapes, f"expected {expected}")
