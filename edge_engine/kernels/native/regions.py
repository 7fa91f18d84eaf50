"""regions: points in polygons, and steps across lines."""

from __future__ import annotations

from typing import Any

from numba import carray
from numpy.typing import NDArray

from edge_engine.kernels.native import part


@part
def _turn(ax: float, ay: float, bx: float, by: float, x: float, y: float) -> float:
    return (bx - ax) * (y - ay) - (by - ay) * (x - ax)


@part
def _is_inside(corners: NDArray[Any], first: int, last: int, x: float, y: float) -> bool:
    """By the crossing number of a ray to the right; points on an edge are inside."""
    found = False
    for i in range(first, last):
        j = i + 1 if i + 1 < last else first
        ax, ay, bx, by = corners[i, 0], corners[i, 1], corners[j, 0], corners[j, 1]
        turn = _turn(ax, ay, bx, by, x, y)
        if turn == 0 and min(ax, bx) <= x <= max(ax, bx) and min(ay, by) <= y <= max(ay, by):
            return True
        if (ay > y) != (by > y) and (turn > 0) == (by > ay):
            found = not found
    return found


@part
def _is_right(ax: float, ay: float, bx: float, by: float, x: float, y: float) -> bool:
    """Whether the point lies to the right of a → b, as if it were moved by (ε, ε²)."""
    turn = _turn(ax, ay, bx, by, x, y)
    if turn == 0:
        turn = ay - by if ay != by else bx - ax
    return turn > 0


@part
def _is_passed_right(px: float, py: float, qx: float, qy: float, x: float, y: float) -> bool:
    """Whether the step p → q, as if both were moved by (ε, ε²), has the point on its right."""
    turn = _turn(px, py, qx, qy, x, y)
    if turn == 0:
        turn = qy - py if qy != py else px - qx
    return turn > 0


def points_in_polygons(
    points_address: Any,  # noqa: ANN401 - numba's pointers
    n: int,
    anchors: int,
    which_address: Any,  # noqa: ANN401
    corners_address: Any,  # noqa: ANN401
    starts_address: Any,  # noqa: ANN401
    polygons: int,
    inside_address: Any,  # noqa: ANN401
) -> int:
    """The contract is that of edge_engine.kernels.regions.points_in_polygons. Returns 0."""
    points, which = carray(points_address, (n, anchors, 2)), carray(which_address, (polygons,))
    starts = carray(starts_address, (polygons + 1,))
    corners, inside = carray(corners_address, (starts[polygons], 2)), carray(inside_address, (n, polygons))
    for i in range(n):
        for k in range(polygons):
            x, y = points[i, which[k], 0], points[i, which[k], 1]
            inside[i, k] = _is_inside(corners, starts[k], starts[k + 1], x, y)
    return 0


def steps_across_lines(
    before_address: Any,  # noqa: ANN401
    after_address: Any,  # noqa: ANN401
    n: int,
    anchors: int,
    which_address: Any,  # noqa: ANN401
    corners_address: Any,  # noqa: ANN401
    starts_address: Any,  # noqa: ANN401
    lines: int,
    crossed_address: Any,  # noqa: ANN401
) -> int:
    """The contract is that of edge_engine.kernels.regions.steps_across_lines. Returns 0."""
    before, after = carray(before_address, (n, lines, 2)), carray(after_address, (n, anchors, 2))
    which, starts = carray(which_address, (lines,)), carray(starts_address, (lines + 1,))
    corners, crossed = carray(corners_address, (starts[lines], 2)), carray(crossed_address, (n, lines))
    for i in range(n):
        for k in range(lines):
            px, py = before[i, k, 0], before[i, k, 1]
            qx, qy = after[i, which[k], 0], after[i, which[k], 1]
            crossed[i, k] = 0
            for j in range(starts[k], starts[k + 1] - 1):
                ax, ay, bx, by = corners[j, 0], corners[j, 1], corners[j + 1, 0], corners[j + 1, 1]
                is_right = _is_right(ax, ay, bx, by, qx, qy)
                if is_right == _is_right(ax, ay, bx, by, px, py):
                    continue
                if _is_passed_right(px, py, qx, qy, ax, ay) != _is_passed_right(px, py, qx, qy, bx, by):
                    crossed[i, k] += 1 if is_right else -1
    return 0
