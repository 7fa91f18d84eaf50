"""argmax: the best class of each cell of a grid, whichever way the scores lie."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray

# So many cells at a time that their best scores and classes stay in the first-level cache.
BLOCK = 1024


def argmax_planes(
    scores_address: Any,  # noqa: ANN401 - numba's pointers
    classes: int,
    cells: int,
    best_address: Any,  # noqa: ANN401
    class_ids_address: Any,  # noqa: ANN401
) -> int:
    """The contract is that of edge_engine.kernels.argmax.argmax_planes. Scratch: best float32 [BLOCK]."""
    scores = carray(scores_address, (classes, cells))
    of_all = carray(class_ids_address, (cells,))
    for first in range(0, cells, BLOCK):
        class_ids = of_all[first : min(first + BLOCK, cells)]
        best = carray(best_address, (BLOCK,))[: len(class_ids)]
        for i in range(len(best)):
            best[i] = -np.inf
            class_ids[i] = 0
        for class_id in range(classes):
            row = scores[class_id, first : first + len(best)]
            number = class_ids.dtype.type(class_id)
            for i in range(len(best)):  # branchless and along the row, so that it becomes SIMD code
                score, highest, winner = row[i], best[i], class_ids[i]
                class_ids[i] = number if score > highest else winner
                best[i] = score if score > highest else highest
    return cells


def argmax_pixels(
    scores_address: Any,  # noqa: ANN401 - numba's pointers
    classes: int,
    cells: int,
    class_ids_address: Any,  # noqa: ANN401
) -> int:
    """The contract is that of edge_engine.kernels.argmax.argmax_pixels."""
    scores = carray(scores_address, (cells, classes))
    class_ids = carray(class_ids_address, (cells,))
    for cell in range(cells):
        best = np.float32(-np.inf)
        best_class = 0
        for class_id in range(classes):
            score = scores[cell, class_id]
            if score > best:
                best, best_class = score, class_id
        class_ids[cell] = best_class
    return cells
