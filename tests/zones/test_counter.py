"""Zones and lines: what counts and what doesn't, as the head of zones/ says it."""

from __future__ import annotations

import logging
from collections import Counter as Tally

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_engine.counting import Counted
from edge_engine.result import TrackState
from tests.reference.zones import Reference, Seen
from tests.zones.scenes import DOWN, LABELS, MAX_LOST_MS, counter, frame, line, objects, walk, zone


def test_who_comes_from_outside_enters_and_who_goes_exits_after_its_dwell() -> None:
    subject = counter(left=zone())
    assert walk(subject, {0: 80, 200: 80, 300: 20, 500: 20}) == [("entered", "left")]
    counted = subject.update(objects({1: (30.0, 50.0)}), LABELS, frame(900))
    (of_zone,) = counted.zones
    assert of_zone.inside == {"person": 1}
    assert of_zone.visits is not None
    assert (of_zone.visits.longest_dwell_ms, of_zone.visits.mean_dwell_ms) == (600, 600)
    assert subject.update(objects({1: (80.0, 50.0)}), LABELS, frame(1000)).events == ()
    (left,) = subject.update(objects({1: (80.0, 50.0)}), LABELS, frame(1250)).events
    assert (left.kind, left.dwell_ms, left.ago_ms, left.number) == ("exited", 700, 250, 2)
    assert (left.seq, left.captured_ns, left.track_id, left.label) == (1250, 1_250_000_000, 1, "person")
    assert left.score == pytest.approx(0.9)
    assert left.xyxy == (78, 42, 82, 50)


def test_who_is_first_seen_inside_has_appeared_not_entered() -> None:
    assert walk(counter(left=zone()), {0: 20, 100: 20, 200: 20}) == [("appeared", "left")]


@pytest.mark.parametrize(
    "path",
    [
        pytest.param({0: 80, 200: 80, 300: 49, 400: 51, 500: 49, 600: 51, 700: 49}, id="flickering"),
        pytest.param({0: 80, 200: 80, 300: 20, 499: 20, 500: 80}, id="for too short a time"),
        pytest.param({0: 80, 200: 80, 300: 20, 400: None, 500: 80}, id="lost meanwhile"),
    ],
)
def test_who_is_not_inside_for_settle_ms_has_not_entered(path: dict[int, float | None]) -> None:
    assert walk(counter(left=zone(), middle=line()), path) == []


def test_a_track_that_is_forgotten_inside_is_lost_inside_with_its_dwell_until_it_was_seen() -> None:
    subject = counter(left=zone())
    walk(subject, {0: 20, 200: 20, 500: 20, 1500: None})
    (gone,) = subject.update(objects({}), LABELS, frame(1501)).events
    assert (gone.kind, gone.dwell_ms, gone.ago_ms) == ("lost_inside", 500, 1001)
    assert subject.update(objects({}), LABELS, frame(1600)).zones[0].inside == {}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param({0: 20, 40: 45, 80: 55, 280: 60}, ["right_to_left"], id="walking"),
        pytest.param({0: 20, 40: 95, 240: 95}, ["right_to_left"], id="jumping"),
        pytest.param({0: 90, 40: 10, 240: 10}, ["left_to_right"], id="the other way"),
        pytest.param({0: 20, 40: None, 900: 80, 1100: 80}, ["right_to_left"], id="lost on the way"),
        pytest.param({0: 20, 40: 55, 80: 45, 400: 20}, [], id="turning around"),
        pytest.param({n * 40: 50 + (-1) ** n for n in range(50)}, [], id="jittering"),
        pytest.param({0: 20, 40: 80, 239: 80}, [], id="not settled yet"),
        pytest.param(
            {0: 20, 300: 80, 600: 80, 900: 20, 1200: 20}, ["right_to_left", "left_to_right"], id="back"
        ),
        pytest.param({0: 20, 1100: None, 1200: 80, 1500: 80}, [], id="forgotten on the way"),
    ],
)
def test_a_line_is_crossed_once_for_each_real_crossing(
    path: dict[int, float | None], expected: list[str]
) -> None:
    assert walk(counter(middle=line()), path) == [("crossed", direction) for direction in expected]


def test_who_passes_beyond_the_ends_of_a_line_has_not_crossed_it() -> None:
    short = line(((0.5, 0.6), (0.5, 1.0)))
    assert walk(counter(middle=short), {0: 20, 300: 80, 600: 80}) == []


def test_new_tracks_count_from_when_they_are_confirmed_with_what_they_did_before() -> None:
    subject = counter(left=zone(), middle=line())
    new, events = {1: TrackState.NEW}, []
    for now_ms, x, states in ((0, 80.0, new), (300, 80.0, new), (600, 20.0, new), (900, 20.0, {})):
        events += subject.update(objects({1: (x, 50.0)}, states=states), LABELS, frame(now_ms)).events
    assert [event.kind for event in events] == ["appeared", "crossed"]


def test_lost_ones_that_are_published_are_nowhere() -> None:
    subject = counter(left=zone(), middle=line())
    walk(subject, {0: 80, 200: 80})
    for now_ms in (300, 600, 900):
        lost = objects({1: (20.0, 50.0)}, states={1: TrackState.LOST})
        counted = subject.update(lost, LABELS, frame(now_ms))
        assert (counted.events, counted.zones[0].is_inside.tolist()) == ((), [False])


def test_classes_and_scores_say_who_counts() -> None:
    subject = counter(left=zone(classes=("car",), min_score=0.5))
    for now_ms in (0, 300):
        points = {1: (10.0, 50.0), 2: (20.0, 50.0), 3: (30.0, 50.0)}
        found = objects(points, scores={3: 0.4}, class_ids={2: 1, 3: 1})
        counted = subject.update(found, LABELS, frame(now_ms))
    assert counted.zones[0].inside == {"car": 1}
    assert counted.zones[0].is_inside.tolist() == [False, True, False]
    assert [event.track_id for event in counted.events] == [2]


def test_an_untracked_stream_has_those_inside_in_this_picture_and_their_density() -> None:
    subject = counter(max_lost_ms=None, left=zone(area_m2=8.0), nothing=zone(((0.9, 0.9), (1, 0.9), (1, 1))))
    counted = subject.update(objects({1: (20.0, 50.0), 2: (50.0, 50.0), 3: (51.0, 50.0)}), LABELS, frame(0))
    left, nothing = counted.zones
    assert (left.inside, left.visits, left.density_per_m2) == ({"person": 2}, None, 0.25)
    assert left.density_per_megapixel == pytest.approx(2 / (100 * 50 / 1e6))
    assert (nothing.inside, nothing.density_per_megapixel, counted.lines) == ({}, 0, ())


@pytest.mark.parametrize(
    ("anchor", "is_inside"),
    [
        ("bottom_center", False),
        ("center", False),
        ("top_center", False),
        ("center_left", True),
        ("top_left", True),
    ],
)
def test_the_anchor_says_where_an_object_is(anchor: str, is_inside: bool) -> None:
    counted = counter(left=zone(anchor=anchor)).update(objects({1: (51.0, 50.0)}), LABELS, frame(0))
    assert counted.zones[0].is_inside.tolist() == [is_inside]


def test_feet_on_the_pictures_lower_edge_are_in_a_zone_that_reaches_there() -> None:
    counted = counter(left=zone()).update(objects({1: (0.0, 100.0)}), LABELS, frame(0))
    assert counted.zones[0].is_inside.tolist() == [True]


def test_pixels_keep_the_size_that_they_were_given_for(caplog: pytest.LogCaptureFixture) -> None:
    of_first = zone(((0, 0), (50, 0), (50, 100), (0, 100)), unit="pixels")
    of_own = zone(((0, 0), (20, 0), (20, 40), (0, 40)), unit="pixels", size=(40, 40))
    subject = counter(of_first=of_first, of_own=of_own)
    with caplog.at_level(logging.WARNING, "edge_engine.zones"):
        for size in ((100, 100), (200, 100), (200, 100)):
            for x, is_inside in ((0.4, True), (0.6, False)):
                found = objects({1: (x * size[0], 50.0)})
                counted = subject.update(found, LABELS, frame(0, size))
                assert [each.is_inside.tolist() for each in counted.zones] == [[is_inside], [is_inside]]
    assert [record.getMessage() for record in caplog.records] == [
        "street: of_own is given for 40x40; it is stretched to pictures of 100x100",
        "street: of_first is given for 100x100; it is stretched to pictures of 200x100, of another shape",
        "street: of_own is given for 40x40; it is stretched to pictures of 200x100, of another shape",
    ]


def test_a_place_in_pixels_outside_the_first_picture_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    far = zone(((500, 500), (600, 500), (600, 600)), unit="pixels")
    with caplog.at_level(logging.WARNING, "edge_engine.zones"):
        counter(far=far).update(objects({}), LABELS, frame(0))
    (record,) = caplog.records
    assert record.getMessage() == "street: far lies outside the pictures, which are 100x100"


# Sixteenths of the picture, so that a point which lies on a line does so to the last bit.
coordinates = st.integers(0, 16).map(lambda n: 6.25 * n)
sightings = st.none() | st.tuples(coordinates, coordinates, st.booleans())
walkers = st.lists(sightings, min_size=5, max_size=40)
crowds = st.lists(walkers, min_size=1, max_size=4)
gaps_ms = st.lists(st.sampled_from([40, 80, 100, 200, 1100]), min_size=40, max_size=40)

BENT = ((0.25, 0.0), (0.75, 0.5), (0.25, 1.0))
SLANTED = ((0.25, 0.25), (1.0, 0.25), (0.5, 0.75), (0.25, 0.5))


@settings(deadline=None, max_examples=30)
@given(crowds, gaps_ms)
def test_random_walks_count_as_the_slow_reference_tells_them(
    crowd: list[list[tuple[float, float, bool] | None]], gaps: list[int]
) -> None:
    subject = counter(left=zone(), slanted=zone(SLANTED), middle=line(), bent=line(BENT))
    zones = {"left": _in_pixels(zone().points), "slanted": _in_pixels(SLANTED)}
    lines = {"middle": _in_pixels(DOWN), "bent": _in_pixels(BENT)}
    reference = Reference(zones, lines, 200, MAX_LOST_MS)
    now_ms = 0
    for number, gap in zip(range(max(map(len, crowd))), gaps, strict=False):
        now_ms += gap
        here = {i: walk[number] for i, walk in enumerate(crowd, 1) if number < len(walk) and walk[number]}
        points = {i: (each[0], each[1]) for i, each in here.items() if each}
        states = {i: TrackState.CONFIRMED if each[2] else TrackState.NEW for i, each in here.items() if each}
        counted = subject.update(objects(points, states=states), LABELS, frame(now_ms))
        told = reference.see(now_ms, [Seen(i, bool(states[i]), point) for i, point in points.items()])
        assert Tally(_facts(counted)) == Tally((each.kind, each.place, each.track_id) for each in told)
        for each in counted.zones:
            assert sum(each.inside.values()) == reference.inside(each.name) == _balance(each.visits)
    assert _totals(counted) == Tally((t.kind, t.place) for t in reference.told)


def _in_pixels(points: tuple[tuple[float, float], ...]) -> list[tuple[float, float]]:
    return [(100 * x, 100 * y) for x, y in points]


def _facts(counted: Counted) -> list[tuple[str, str, int]]:
    return [(event.direction or event.kind, event.place, event.track_id) for event in counted.events]


def _balance(visits: object) -> int:
    count = {k: sum(getattr(visits, k).values()) for k in ("entered", "appeared", "exited", "lost_inside")}
    return count["entered"] + count["appeared"] - count["exited"] - count["lost_inside"]


def _totals(counted: Counted) -> Tally[tuple[str, str]]:
    found: Tally[tuple[str, str]] = Tally()
    for each in counted.zones:
        for kind in ("entered", "appeared", "exited", "lost_inside"):
            found[kind, each.name] = sum(getattr(each.visits, kind).values())
    for each_line in counted.lines:
        found["left_to_right", each_line.name] = sum(each_line.left_to_right.values())
        found["right_to_left", each_line.name] = sum(each_line.right_to_left.values())
    return +found


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(0, 100, width=16), min_size=2, max_size=40))
def test_crossings_are_the_change_of_side_and_the_way_back_is_its_mirror(path: list[float]) -> None:
    forth, back = (
        walk(counter(middle=line(settle_ms=0)), {n * 40: x for n, x in enumerate(xs)})
        for xs in (path, path[::-1])
    )
    for events, xs in ((forth, path), (back, path[::-1])):
        tally = Tally(direction for _, direction in events)
        sides = [int(x >= 50) for x in (xs[0], xs[-1])]
        assert tally["right_to_left"] - tally["left_to_right"] == sides[1] - sides[0]
    mirror = {"left_to_right": "right_to_left", "right_to_left": "left_to_right"}
    assert [direction for _, direction in back] == [mirror[direction] for _, direction in forth[::-1]]


def test_event_numbers_have_no_gaps() -> None:
    subject, rng, numbers = (
        counter(left=zone(settle_ms=0), middle=line(settle_ms=0)),
        np.random.default_rng(3),
        [],
    )
    for now_ms in range(0, 8000, 40):
        crowd = objects({i: (float(x), 50.0) for i, x in enumerate(rng.uniform(0, 100, 9), 1)})
        numbers += [event.number for event in subject.update(crowd, LABELS, frame(now_ms)).events]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > 100


def test_who_came_under_a_label_goes_under_it_when_another_model_has_other_labels() -> None:
    subject = counter(left=zone())
    walk(subject, {0: 20, 200: 20})
    (gone,) = subject.update(objects({}), ("thing",), frame(1300)).events
    assert (gone.kind, gone.label) == ("lost_inside", "person")
    assert subject.update(objects({}), ("thing",), frame(1400)).zones[0].inside == {}
