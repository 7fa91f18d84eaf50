"""Places: a configuration whose zones or lines can't be had is refused in one line that names the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_engine.config import parse_config
from edge_engine.config.planar import area_of, clipped, crossing_edges, edges_of
from edge_engine.engine import Engine
from edge_engine.errors import ConfigError
from tests import clip

SQUARE = "points: [[0, 0], [1, 0], [1, 1], [0, 1]]"


def said_of(kind: str, place: str, rest: str = "") -> str:
    """The error's one line, of a stream with that place."""
    text = f"streams:\n  a:\n    source: {clip.URI}\n    {kind}:\n      here: {{{place}}}\n{rest}"
    with pytest.raises(ConfigError) as caught:
        Engine(parse_config(text, "x.yaml")).stop()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (SQUARE, '"unit" is missing; expected fractions or pixels'),
        (f"{SQUARE}, unit: percent", "unit: expected fractions or pixels"),
        (f"{SQUARE}, unit: pixels, size: [640]", "size: expected width and height in pixels"),
        (
            f"{SQUARE}, unit: fractions, size: [640, 480]",
            "size is given; expected it only where unit is pixels",
        ),
        (f"{SQUARE}, unit: fractions, anchor: feet", "anchor: expected bottom_center or"),
        (f"{SQUARE}, unit: fractions, settle_ms: -1", "settle_ms: expected an integer from 0"),
        (f"{SQUARE}, unit: fractions, area_m2: 0", "area_m2: expected a number above 0"),
        ("points: [[0, 0], [1, 1]], unit: fractions", "2 points; expected at least 3 corners"),
        ("points: here, unit: fractions", "points: expected a list of points such as"),
        ("points: [[0, 0], [1, 1], [1, 0], [0, 1]], unit: fractions", "its edges 1 and 3 meet"),
        ("points: [[0, 0], [1, 0], [0.5, 0]], unit: fractions", "its edges 1 and 2 meet"),
        ("points: [[0, 0], [1, 0], [1, 1], [0, 0]], unit: fractions", "point 4 is there twice"),
        (
            "points: [[0, 0], [0.5, 0], [0.5, 0.9]], unit: pixels",
            "it has no area; expected a polygon in pixels",
        ),
        ("points: [[9, 9], [99, 9], [99, 99]], unit: fractions", "a point is far beyond the picture"),
        ("points: [[1.1, 0], [2, 0], [2, 1]], unit: fractions", "none of it lies in the picture"),
        (
            "points: [[700, 0], [800, 0], [800, 100]], unit: pixels, size: [640, 480]",
            "none of it lies in the picture",
        ),
    ],
)
def test_a_zone_that_is_none_is_refused_when_loaded(place: str, said: str) -> None:
    line = said_of("zones", place)
    assert line.startswith("x.yaml:5: streams.a.zones.here")
    assert said in line


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("points: [[0, 0]], unit: fractions", "points: expected a list of points"),
        ("points: [[-1, 0], [-0.5, 1]], unit: fractions", "none of it lies in the picture"),
        ("points: [[0, 0], [1, 0], [1, 1], [0.5, -0.5]], unit: fractions", "its edges 1 and 3 meet"),
        ("points: [[0, 0], [1, 1]], unit: fractions, area_m2: 2", 'unknown key "area_m2"'),
    ],
)
def test_a_line_that_is_none_is_refused_when_loaded(place: str, said: str) -> None:
    line = said_of("lines", place)
    assert line.startswith("x.yaml:5: streams.a.lines.here")
    assert said in line


@pytest.mark.parametrize(
    ("kind", "place", "rest", "said"),
    [
        ("lines", "", "", "stream a, lines.here: crossings need tracking; expected `tracking: {}`"),
        ("lines", "", "tracking: {enabled: false}", "crossings need tracking"),
        ("zones", ", classes: [persn]", "", "stream a, zones.here.classes: 'persn' is none of its 80 labels"),
        ("zones", ", classes: [car]", "classes: [person]", "zones.here.classes: car is not published"),
        (
            "zones",
            "",
            "model: efficientnet-lite0",
            "expected a model that finds objects, for zones and lines",
        ),
    ],
)
def test_what_cannot_be_counted_is_refused_at_the_start(kind: str, place: str, rest: str, said: str) -> None:
    points = SQUARE if kind == "zones" else "points: [[0, 0], [1, 1]]"
    assert said in said_of(kind, f"{points}, unit: fractions{place}", rest)


def test_a_zone_may_reach_beyond_the_picture_which_fills_the_part_that_is_seen(tmp_path: Path) -> None:
    corners = [(-0.5, 0.25), (0.5, 0.25), (0.5, 1.25), (-0.5, 1.25)]
    assert area_of(clipped(corners, (1, 1))) == 0.5 * 0.75
    beside = [(0.0, 1.0), (0.5, -1.0), (1.0, 1.0), (0.5, 0.5)]  # falls in two at the upper edge
    assert crossing_edges(edges_of(beside, is_closed=True)) is None
    assert area_of(clipped(beside, (1, 1))) == pytest.approx(area_of(beside) - 0.25)
