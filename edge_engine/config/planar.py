"""planar: polygons and lines of a few corners, as a configuration has them: their area, their crossings, and
what of them lies in a picture."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeAlias

Point: TypeAlias = tuple[float, float]
Edge: TypeAlias = tuple[Point, Point]

_CORNERS_OF_EDGE = 2


def edges_of(points: Sequence[Point], *, is_closed: bool) -> list[Edge]:
    """From each point to the next; of a polygon also from the last to the first."""
    return list(pairwise((*points, *points[:1]) if is_closed else points))


def area_of(points: Sequence[Point]) -> float:
    """Of a polygon, by the shoelace formula."""
    return abs(sum(ax * by - bx * ay for (ax, ay), (bx, by) in edges_of(points, is_closed=True))) / 2


def crossing_edges(edges: Sequence[Edge]) -> tuple[int, int] | None:
    """The numbers, from 1, of two edges of one shape that meet elsewhere than in the corner between them."""
    for j, later in enumerate(edges):
        for i, earlier in enumerate(edges[:j]):
            if _meet(earlier, later):
                return i + 1, j + 1
    return None


def _meet(a: Edge, b: Edge) -> bool:
    shared = set(a) & set(b)
    if len(shared) == _CORNERS_OF_EDGE:
        return True
    if shared:  # neighbours lie on one another where the one goes back along the other
        (corner,) = shared
        (p,), (q,) = set(a) - shared, set(b) - shared
        ahead = (p[0] - corner[0]) * (q[0] - corner[0]) + (p[1] - corner[1]) * (q[1] - corner[1])
        return _turn(corner, p, q) == 0 and ahead > 0
    turns = _turn(*a, b[0]), _turn(*a, b[1]), _turn(*b, a[0]), _turn(*b, a[1])
    if turns[0] * turns[1] < 0 and turns[2] * turns[3] < 0:
        return True
    touching = zip(turns, (a, a, b, b), (*b, *a), strict=True)
    return any(turn == 0 and _is_beside(edge, point) for turn, edge, point in touching)


def _turn(a: Point, b: Point, p: Point) -> float:
    return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])


def _is_beside(edge: Edge, p: Point) -> bool:
    """Of a point on the straight line through an edge: whether it lies on the edge."""
    return all(min(a, b) <= c <= max(a, b) for a, b, c in zip(*edge, p, strict=True))


def clipped(points: Sequence[Point], size: Point) -> list[Point]:
    """The part of a polygon that lies in a picture of that width and height, by Sutherland and Hodgman's
    algorithm (1974); of the right area also where it falls into several."""
    found = list(points)
    for axis in (0, 1):
        for limit, sign in ((0.0, 1.0), (size[axis], -1.0)):
            found = _cut(found, axis, limit, sign)
    return found


def _cut(points: list[Point], axis: int, limit: float, sign: float) -> list[Point]:
    kept: list[Point] = []
    for a, b in edges_of(points, is_closed=True):
        a_in, b_in = sign * (a[axis] - limit) >= 0, sign * (b[axis] - limit) >= 0
        if a_in:
            kept.append(a)
        if a_in != b_in:
            t = (limit - a[axis]) / (b[axis] - a[axis])
            kept.append((a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])))
    return kept


def is_seen(edge: Edge, size: Point) -> bool:
    """Whether some of an edge lies in a picture of that width and height, by Liang and Barsky's algorithm."""
    first, last = 0.0, 1.0
    for a, b, limit in zip(*edge, size, strict=True):
        if a == b:
            if not 0 <= a <= limit:
                return False
            continue
        near, far = sorted((-a / (b - a), (limit - a) / (b - a)))
        first, last = max(first, near), min(last, far)
    return first < last
