"""decode_end_to_end_reference: rows of a graph that suppressed by itself, read one by one."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Decoded = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]


def decode_end_to_end_reference(rows: NDArray[np.float32], classes: int, threshold: float) -> Decoded:
    """Boxes xyxy [n, 4], scores [n] and class ids [n], highest score first, of equal ones the first row's."""
    found = []
    for row in rows:
        left, top, right, bottom, score, class_id = (float(value) for value in row)
        if not all(math.isfinite(value) for value in row):
            continue
        if score >= np.float32(threshold) and left < right and top < bottom and 0 <= class_id < classes:
            found.append(row)
    found.sort(key=lambda row: -row[4])
    kept = np.array(found[:300], np.float32).reshape(-1, 6)
    return kept[:, :4], kept[:, 4], kept[:, 5].astype(np.int32)
