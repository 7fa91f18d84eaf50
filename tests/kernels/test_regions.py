"""regions: points in polygons and steps across lines, against exact fractions, ties and corners included."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_engine.kernels.regions import Shapes, points_in_polygons, steps_across_lines
from tests.reference import regions as exact
from tests.reference.regions import Point

# Few of them, so that points lie on edges, ways go through corners and run along lines.
small = st.integers(0, 6).map(float)
fine = st.floats(0, 6, width=16)
points = st.tuples(small, small) | st.tuples(fine, fine)
shapes = st.lists(points, min_size=3, max_size=7, unique=True)
paths = st.lists(points, min_size=2, max_size=12)


def shape(*corners: list[Point]) -> Shapes:
    starts = np.cumsum([0, *map(len, corners)])
    return Shapes(np.array([p for each in corners for p in each]), starts, np.zeros(len(corners), np.int64))


def steps(path: list[Point], line: list[Point]) -> list[int]:
    ways = np.array(path)[:, None]
    return [int(n) for n in steps_across_lines(ways[:-1], ways[1:], shape(line))[:, 0]]


@settings(deadline=None, max_examples=100)
@given(shapes, shapes, paths)
def test_points_are_inside_as_in_exact_fractions(
    one: list[Point], two: list[Point], path: list[Point]
) -> None:
    inside = points_in_polygons(np.array(path)[:, None], shape(one, two))
    expected = [[exact.is_inside(point, one), exact.is_inside(point, two)] for point in path]
    assert inside.tolist() == expected


@settings(deadline=None, max_examples=200)
@given(shapes, paths)
def test_ways_cross_lines_as_in_exact_fractions(line: list[Point], path: list[Point]) -> None:
    assert steps(path, line) == [exact.crossings(a, b, line) for a, b in pairwise(path)]


@settings(deadline=None)
@given(shapes, paths)
def test_the_way_back_crosses_the_other_way(line: list[Point], path: list[Point]) -> None:
    assert steps(path[::-1], line) == [-n for n in steps(path, line)[::-1]]
    assert steps(path, line[::-1]) == [-n for n in steps(path, line)]


@settings(deadline=None)
@given(shapes, paths)
def test_who_comes_back_has_crossed_a_line_around_nothing_as_often_each_way(
    line: list[Point], path: list[Point]
) -> None:
    assert sum(steps([*path, path[0]], [*line, line[0]])) == 0


def test_left_and_right_are_those_of_who_goes_along_the_line_as_the_picture_is_seen() -> None:
    to_the_right = [(0.0, 3.0), (6.0, 3.0)]
    assert steps([(2.0, 1.0), (2.0, 5.0)], to_the_right) == [1], "from above, the left, to below"
    assert steps([(2.0, 5.0), (2.0, 1.0)], to_the_right) == [-1]


def test_each_shape_is_about_its_own_point() -> None:
    square = [(0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0)]
    polygons = shape(square, square)._replace(which=np.array([1, 0]))
    assert points_in_polygons(np.array([[[1.0, 1.0], [9.0, 9.0]]]), polygons).tolist() == [[False, True]]


def test_without_objects_or_shapes_there_is_nothing() -> None:
    none = Shapes(np.empty((0, 2)), np.zeros(1, np.int64), np.empty(0, np.int64))
    assert points_in_polygons(np.empty((0, 1, 2)), shape([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)])).shape == (
        0,
        1,
    )
    assert steps_across_lines(np.empty((3, 0, 2)), np.zeros((3, 1, 2)), none).shape == (3, 0)
