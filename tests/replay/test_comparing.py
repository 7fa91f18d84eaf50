"""Comparing: what counts as drift, and what doesn't."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from edge_engine.replay.comparing import Comparer, Tolerances, iou, mask_iou
from edge_engine.wire import (
    Counters,
    DescribeMessage,
    Mask,
    ObjectRow,
    ResultMessage,
    SegmentationRows,
    TagRow,
)

PERSON = ObjectRow((10, 10, 50, 90), 0.8, 0, "person", [(20, 20, 0.9)], track_id=1)
CAR = ObjectRow((60, 10, 200, 90), 0.7, 2, "car", track_id=2)
THRESHOLD = 0.35


def described(task: str = "detection") -> DescribeMessage:
    return DescribeMessage(
        stream="a",
        session="s",
        model="m",
        task=task,
        labels=("person", "car"),
        max_age_ms=500,
        score_threshold=THRESHOLD,
    )


def result(*objects: ObjectRow, **fields: Any) -> ResultMessage:  # noqa: ANN401
    return ResultMessage(
        stream="a",
        seq=0,
        session="s",
        captured_ns=0,
        captured_utc_ns=0,
        published_ns=0,
        valid_until_ns=0,
        size=(200, 100),
        model="m",
        stages_ms={},
        counters=Counters(0, 0, 0, {}),
        objects=list(objects),
        **fields,
    )


def kinds(old: ResultMessage, new: ResultMessage, task: str = "detection") -> list[str]:
    comparer = Comparer(Tolerances(), described(task), described(task), compares_tracks=True)
    return [each.kind for each in comparer.differences(old, new)]


def moved(row: ObjectRow, by: float) -> ObjectRow:
    left, top, right, bottom = row.xyxy
    return replace(row, xyxy=(left + by, top, right + by, bottom))


ROWS = st.lists(
    st.builds(
        ObjectRow,
        xyxy=st.tuples(*[st.integers(0, 90)] * 2, *[st.integers(91, 200)] * 2),
        score=st.floats(THRESHOLD, 1),
        class_id=st.just(0),
        label=st.sampled_from(["person", "car"]),
    ),
    max_size=8,
)


@settings(deadline=None)
@given(rows=ROWS, seed=st.randoms())
def test_the_same_objects_in_any_order_are_the_same(rows: list[ObjectRow], seed: Any) -> None:  # noqa: ANN401
    shuffled = list(rows)
    seed.shuffle(shuffled)
    unique = {(row.xyxy, row.label): row for row in rows}
    if len(unique) == len(rows):
        assert kinds(result(*rows), result(*shuffled)) == []


@settings(deadline=None)
@given(rows=ROWS)
def test_what_is_missing_here_is_extra_there(rows: list[ObjectRow]) -> None:
    surely = sum(row.score > THRESHOLD + Tolerances().score for row in rows)
    assert kinds(result(*rows), result()) == ["missing"] * surely
    assert kinds(result(), result(*rows)) == ["extra"] * surely


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ((PERSON, CAR), []),
        ((moved(PERSON, 1), CAR), []),
        ((moved(PERSON, 10), CAR), ["box"]),
        ((replace(PERSON, score=0.76), CAR), []),
        ((replace(PERSON, score=0.7), CAR), ["score"]),
        ((replace(PERSON, label="car"), CAR), ["missing", "extra"]),  # another class is another object
        ((replace(PERSON, keypoints=[(29, 20, 0.9)]), CAR), ["keypoints"]),
        ((replace(PERSON, keypoints=[(99, 20, 0.1)]), CAR), []),  # which the model doesn't see any more
        ((PERSON, CAR, replace(CAR, xyxy=(0, 0, 5, 5), score=0.38)), []),  # at the threshold
    ],
)
def test_objects(new: tuple[ObjectRow, ...], expected: list[str]) -> None:
    assert kinds(result(PERSON, CAR), result(*new)) == expected


def test_tracks_may_have_other_numbers_but_not_change_them() -> None:
    comparer = Comparer(Tolerances(), described(), described(), compares_tracks=True)
    for new_id, expected in ((7, []), (7, []), (8, ["track"]), (8, [])):
        found = comparer.differences(result(PERSON), result(replace(PERSON, track_id=new_id)))
        assert [each.kind for each in found] == expected


def test_masks() -> None:
    old, new = (replace(PERSON, mask=Mask((4, 4), counts)) for counts in ([0, 16], [8, 8]))
    assert kinds(result(old), result(old)) == []
    assert kinds(result(old), result(new)) == ["mask"]
    assert mask_iou(Mask((2, 2), [4]), Mask((2, 2), [4])) == 1.0


@pytest.mark.parametrize(
    ("task", "new", "expected"),
    [
        ("classification", [TagRow(0.9, 0, "person"), TagRow(0.06, 1, "car")], []),
        ("classification", [TagRow(0.9, 0, "person"), TagRow(0.05, 2, "bus")], []),  # the next best
        ("classification", [TagRow(0.6, 1, "car"), TagRow(0.3, 0, "person")], ["tag", "tag"]),
        ("tagging", [TagRow(0.9, 0, "person")], []),  # a car below the threshold, as it was at it
        ("tagging", [TagRow(0.9, 0, "person"), TagRow(0.7, 2, "bus")], ["tag"]),
    ],
)
def test_tags(task: str, new: list[TagRow], expected: list[str]) -> None:
    car = 0.07 if task == "classification" else 0.38
    old = [TagRow(0.9, 0, "person"), TagRow(car, 1, "car")]
    assert kinds(result(tags=old), result(tags=new), task) == expected


def test_shares_of_a_segmentation() -> None:
    old, near, far = (
        result(segmentation=SegmentationRows((1, 1), [0], [1], shares))
        for shares in ({"road": 0.4, "car": 0.1}, {"road": 0.41, "car": 0.1}, {"road": 0.5})
    )
    assert kinds(old, near) == []
    assert kinds(old, far) == ["share", "share"]


def test_boxes_without_an_area_overlap_only_themselves() -> None:
    assert iou((1, 1, 1, 1), (1, 1, 1, 1)) == 1.0
    assert iou((1, 1, 1, 1), (2, 2, 2, 2)) == 0.0
    assert iou((0, 0, 10, 10), (5, 0, 15, 10)) == pytest.approx(1 / 3)
