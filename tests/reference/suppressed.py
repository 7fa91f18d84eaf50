"""best_reference: the best of boxes that a graph has suppressed, one row at a time."""

from __future__ import annotations

import math
from collections.abc import Iterable

Row = tuple[int, float, list[float]]


def best_reference(
    rows: Iterable[tuple[float, float, list[float]]], threshold: float, classes: int
) -> list[Row]:
    """Class, score and box xyxy of those that are objects, the highest score first, ties as they came."""
    found: list[Row] = []
    for class_id, score, (x1, y1, x2, y2) in rows:
        is_number = all(math.isfinite(value) for value in (class_id, score, x1, y1, x2, y2))
        if is_number and score >= threshold and 0 <= class_id < classes and x2 > x1 and y2 > y1:
            found.append((int(class_id), score, [x1, y1, x2, y2]))
    return sorted(found, key=lambda row: -row[1])[:300]
