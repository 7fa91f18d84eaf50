"""rows: what a result holds is on the wire, and can be read back as the wire's docs say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from edge_engine.frame import Frame
from edge_engine.ledger import Counts
from edge_engine.outputs.rows import message_of
from edge_engine.result import Answer, Objects, Result, Segmentation, Tags
from edge_engine.wire import Mask, ResultMessage, SegmentationRows, decode, encode

LABELS = ("road", "car", "person")
COUNTS = Counts(5, 3, 1, {"stale": 1})

grids = st.tuples(st.integers(1, 12), st.integers(1, 12))


def message(answer: Answer, labels: tuple[str, ...] = LABELS) -> ResultMessage:
    """As a subscriber gets it."""
    frame = Frame("front", 7, 100, 200, (640, 480), None)
    received = decode(encode(message_of(Result(frame, answer, labels, "m", "s", 900), COUNTS)))
    assert isinstance(received, ResultMessage)
    return received


def objects(n: int, **more: NDArray[np.generic]) -> Objects:
    boxes = np.arange(4 * n, dtype=np.float32).reshape(n, 4)
    scores = np.linspace(0.9, 0.1, n).astype(np.float32)
    return Objects(boxes, scores, (np.arange(n) % 3).astype(np.int32), **more)  # type: ignore[arg-type]


def mask_of(found: Mask) -> NDArray[np.uint8]:
    """By hand, as COCO defines run lengths: column after column, first outside, then inside, and so on."""
    rows, columns = found.size
    mask = np.zeros((rows, columns), np.uint8)
    cell, is_inside = 0, 0
    for count in found.counts:
        for _ in range(count):
            mask[cell % rows, cell // rows] = is_inside
            cell += 1
        is_inside = 1 - is_inside
    assert cell == rows * columns
    return mask


def grid_of(found: SegmentationRows) -> NDArray[np.int64]:
    """By hand, row after row."""
    cells = [c for c, n in zip(found.class_ids, found.counts, strict=True) for _ in range(n)]
    return np.array(cells).reshape(found.size)


@given(grids.flatmap(lambda grid: arrays(np.uint8, (2, *grid), elements=st.integers(0, 1))))
def test_masks_are_cocos_run_lengths(masks: NDArray[np.uint8]) -> None:
    rows = message(objects(2, masks=masks)).objects
    for row, mask in zip(rows, masks, strict=True):
        assert row.mask is not None
        np.testing.assert_array_equal(mask_of(row.mask), mask)
        assert all(count > 0 for count in row.mask.counts[1:])


@pytest.mark.parametrize(
    ("mask", "counts"),
    [
        ([[0, 0, 0], [0, 0, 0]], [6]),
        ([[1, 1, 1], [1, 1, 1]], [0, 6]),
        ([[0, 1, 0], [0, 1, 1]], [2, 2, 1, 1]),
        ([[1, 0, 0], [0, 0, 0]], [0, 1, 5]),
    ],
)
def test_masks_count_as_pycocotools_does(mask: list[list[int]], counts: list[int]) -> None:
    (row,) = message(objects(1, masks=np.array([mask], np.uint8))).objects
    assert row.mask == Mask((2, 3), counts)


def test_a_mask_that_is_a_part_of_a_larger_grid_counts_the_same() -> None:
    """A letterbox cuts views."""
    larger = np.random.default_rng(1).integers(0, 2, (1, 9, 11), np.uint8)
    view = larger[:, 2:7, 3:9]
    (row,) = message(objects(1, masks=view)).objects
    assert row.mask is not None
    np.testing.assert_array_equal(mask_of(row.mask), view[0])


@given(
    grids.flatmap(
        lambda grid: arrays(st.sampled_from([np.uint8, np.uint16]), grid, elements=st.integers(0, 2))
    )
)
def test_a_segmentation_comes_back_with_its_shares(class_ids: NDArray[np.unsignedinteger]) -> None:
    found = message(Segmentation(class_ids)).segmentation
    assert found is not None
    np.testing.assert_array_equal(grid_of(found), class_ids)
    pairs = zip(found.class_ids[1:], found.class_ids, strict=False)
    assert all(one != other for one, other in pairs), "runs are as long as can be"
    expected = {LABELS[i]: float((class_ids == i).mean()) for i in range(3) if (class_ids == i).any()}
    assert found.shares == pytest.approx(expected)
    assert Segmentation(class_ids).shares() == pytest.approx(
        {LABELS.index(label): share for label, share in expected.items()}
    )


def test_a_class_beyond_255_keeps_its_number() -> None:
    labels = tuple(f"class {i}" for i in range(1000))
    found = message(Segmentation(np.array([[999, 999], [3, 999]], np.uint16)), labels).segmentation
    assert found == SegmentationRows((2, 2), [999, 3, 999], [2, 1, 1], {"class 3": 0.25, "class 999": 0.75})


def test_tags_are_rows_in_their_order() -> None:
    received = message(Tags(np.array([2, 0], np.int32), np.array([0.75, 0.25], np.float32)))
    assert [(row.label, row.class_id, row.score) for row in received.tags] == [
        ("person", 2, 0.75),
        ("road", 0, 0.25),
    ]
    assert (received.objects, received.segmentation) == ([], None)


def test_keypoints_go_with_their_objects() -> None:
    keypoints = np.arange(12, dtype=np.float32).reshape(2, 2, 3)
    rows = message(objects(2, keypoints=keypoints)).objects
    assert [row.keypoints for row in rows] == [[(0, 1, 2), (3, 4, 5)], [(6, 7, 8), (9, 10, 11)]]
    assert [row.label for row in rows] == ["road", "car"]


@pytest.mark.parametrize("answer", [Objects.none(), Tags(np.empty(0, np.int32), np.empty(0, np.float32))])
def test_nothing_is_no_rows(answer: Answer) -> None:
    received = message(answer)
    assert (received.objects, received.tags, received.segmentation) == ([], [], None)
