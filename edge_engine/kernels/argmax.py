"""argmax: the best class of each cell of a grid, in one pass and without scratch of the grid's size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_engine.kernels.library import load

_BLOCK = 1024  # that of native.argmax


def argmax_planes(scores: NDArray[np.float32], class_ids_out: NDArray[np.unsignedinteger]) -> None:
    """`scores` float32 [classes, rows, columns] → `class_ids_out` uint8 or uint16 [rows, columns].

    Of equal scores the first class wins; NaN never does; a cell without any score above -inf is class 0.
    Both C-contiguous; another dtype or layout is an ArgumentError.
    """
    classes = _checked(scores.shape[0], scores.shape[1:], class_ids_out)
    best = np.empty(_BLOCK, np.float32)
    is_wide = class_ids_out.dtype == np.uint16
    kernel = load().argmax_planes_wide if is_wide else load().argmax_planes
    kernel(scores, classes, class_ids_out.size, best, class_ids_out)


def argmax_pixels(scores: NDArray[np.float32], class_ids_out: NDArray[np.unsignedinteger]) -> None:
    """The same from `scores` float32 [rows, columns, classes]."""
    classes = _checked(scores.shape[-1], scores.shape[:-1], class_ids_out)
    is_wide = class_ids_out.dtype == np.uint16
    kernel = load().argmax_pixels_wide if is_wide else load().argmax_pixels
    kernel(scores, classes, class_ids_out.size, class_ids_out)


def _checked(classes: int, grid: tuple[int, ...], class_ids_out: NDArray[np.unsignedinteger]) -> int:
    """How many classes there are, each of which the output has room for."""
    if class_ids_out.shape != grid or classes > np.iinfo(class_ids_out.dtype).max + 1:
        raise ValueError(
            f"{classes} classes on a grid {grid}, output {class_ids_out.dtype} {class_ids_out.shape}"
        )
    return classes
