"""make_anchors: the boxes that a detector's offsets start from, of what its spec's options tell.

`strides`: each grid's, in input pixels, whole or not; a grid has as many cells as it takes to cover the
input, each with its anchors in its middle. Their sizes are told in one of two ways, in input pixels:
`anchors`, for each stride the list of [width, height] of a cell's, in the order of the model's rows; or
`sizes`, for each stride a list of lengths, with `ratios`, width to height, for every stride: all ratios of
the first size before those of the next, each with the area of size x size.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_engine.errors import ModelError
from edge_engine.models.spec import ModelSpec

_ROUNDING = 1e-6  # cells; 320 / (320 / 3) is a little more than 3


def make_anchors(spec: ModelSpec, number: int) -> NDArray[np.float32]:
    """Centre x, centre y, width, height, float32 [number, 4]; ModelError when the options make others."""
    strides: Any = spec.options.get("strides")
    if not _is_list(strides) or not all(map(is_positive, strides)):
        raise ModelError(
            f"model {spec.name}: option strides is {strides!r}; expected a list such as [8, 16, 32]"
        )
    grids = [
        _grid(spec.input.width, spec.input.height, stride, np.array(shapes, np.float64))
        for stride, shapes in zip(strides, _shapes(spec, len(strides)), strict=True)
    ]
    anchors = np.concatenate(grids).astype(np.float32)
    if len(anchors) != number:
        size = f"{spec.input.width}x{spec.input.height}"
        raise ModelError(
            f"model {spec.name}: its options make {len(anchors)} anchors for an input of {size}, its outputs "
            f"have {number}; mend the options strides and anchors, or sizes and ratios"
        )
    return anchors


def is_positive(value: Any) -> bool:  # noqa: ANN401 - of a file
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and 0 < value < math.inf


def _grid(width: int, height: int, stride: float, shapes: NDArray[np.float64]) -> NDArray[np.float64]:
    """One stride's anchors; `shapes` [k, 2] are those of a cell."""
    columns, rows = (math.ceil(length / stride - _ROUNDING) for length in (width, height))
    anchors = np.empty((rows, columns, len(shapes), 4))
    anchors[..., 0] = ((np.arange(columns) + 0.5) * stride)[None, :, None]
    anchors[..., 1] = ((np.arange(rows) + 0.5) * stride)[:, None, None]
    anchors[..., 2:] = shapes
    return anchors.reshape(-1, 4)


def _shapes(spec: ModelSpec, strides: int) -> list[list[list[float]]]:
    """For each stride, [width, height] of a cell's anchors."""
    anchors: Any = spec.options.get("anchors")
    if anchors is None:
        return _of_sizes_and_ratios(spec, strides)
    if not _is_list(anchors) or len(anchors) != strides or not all(map(_are_shapes, anchors)):
        expected = f"expected for each of {strides} strides a list of [width, height] in input pixels"
        raise ModelError(f"model {spec.name}: option anchors is {str(anchors)[:60]}; {expected}")
    return list(anchors)


def _of_sizes_and_ratios(spec: ModelSpec, strides: int) -> list[list[list[float]]]:
    sizes: Any = spec.options.get("sizes")
    ratios: Any = spec.options.get("ratios")
    if not _is_list(sizes) or len(sizes) != strides or not all(map(_are_lengths, sizes)):
        expected = f"expected for each of {strides} strides a list of lengths, or the option anchors"
        raise ModelError(f"model {spec.name}: option sizes is {str(sizes)[:60]}; {expected}")
    if not _are_lengths(ratios):
        raise ModelError(
            f"model {spec.name}: option ratios is {ratios!r}; expected a list such as [1, 2, 0.5]"
        )
    return [
        [[length * math.sqrt(ratio), length / math.sqrt(ratio)] for length in lengths for ratio in ratios]
        for lengths in sizes
    ]


def _is_list(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, (list, tuple)) and len(value) > 0


def _are_lengths(value: Any) -> bool:  # noqa: ANN401
    return _is_list(value) and all(map(is_positive, value))


def _are_shapes(value: Any) -> bool:  # noqa: ANN401
    return _is_list(value) and all(_are_lengths(shape) and len(shape) == 2 for shape in value)
