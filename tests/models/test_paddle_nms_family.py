"""Rows of Paddle's suppressed detections become objects, however many a picture has."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_engine.errors import ModelError
from edge_engine.models.facts import GraphFacts
from edge_engine.models.families.paddle_nms import PaddleNms
from edge_engine.models.spec import InputSpec, ModelSpec
from tests.models.many_facts import PADDLE_NMS, PADDLE_RTDETR, facts
from tests.reference.suppressed import best_reference

SPEC = ModelSpec(
    "tiny",
    "detection",
    "paddle_nms",
    InputSpec(320, 320, "NHWC", "uint8", "RGB", "stretch"),
    ("person", "car", "bicycle"),
    0.5,
    1.0,
)


def decoder(outputs: int = 2) -> PaddleNms:
    shapes: dict[str, tuple[int, ...]] = {"rows": (7, 6), "count": (1,)}
    return PaddleNms(SPEC, dict(list(shapes.items())[:outputs]))


def random_rows(n: int, seed: int) -> NDArray[np.float32]:
    """Some of classes that there are not, some without an area, some no numbers."""
    rng = np.random.default_rng(seed)
    first = rng.uniform(0, 300, (n, 2))
    parts = [rng.integers(-1, 5, (n, 1)), rng.integers(0, 40, (n, 1)) / 40, first]
    rows = np.concatenate([*parts, first + rng.uniform(-5, 50, (n, 2))], axis=1).astype(np.float32)
    rows[rng.random((n, 6)) < 0.02] = rng.choice([np.nan, np.inf, -np.inf])
    return rows


@settings(deadline=None)
@given(n=st.integers(0, 500), threshold=st.sampled_from([0.0, 0.5, 0.975, 1.1]), seed=st.integers(0, 999))
def test_finds_what_the_reference_finds(n: int, threshold: float, seed: int) -> None:
    rows = random_rows(n, seed)
    objects = decoder()([rows, np.array([n], np.int32)], threshold, 0.5)
    listed = [(row[0], row[1], row[2:]) for row in rows.tolist()]
    expected = best_reference(listed, float(np.float32(threshold)), 3)
    assert objects.class_ids.tolist() == [row[0] for row in expected]
    assert objects.scores.tolist() == [row[1] for row in expected]
    assert objects.boxes_xyxy.tolist() == [row[2] for row in expected]


def test_each_picture_may_have_another_number_of_rows() -> None:
    found = decoder(outputs=1)
    for n in (3, 0, 12):
        rows = np.tile(np.float32([1, 0.75, 10, 20, 30, 40]), (n, 1))
        assert len(found([rows], 0.5, 1.0)) == n


def test_a_row_that_says_that_nothing_was_found_is_no_object() -> None:
    assert len(decoder()([np.full((1, 6), -1, np.float32), np.array([0], np.int32)], 0.0, 1.0)) == 0


@pytest.mark.parametrize(("shown", "std"), [(PADDLE_NMS, 58.395), (PADDLE_RTDETR, 255.0)])
def test_it_is_recognised_with_its_customs(shown: GraphFacts, std: float) -> None:
    deduction = PaddleNms.deduce(shown)
    assert deduction is not None
    assert (deduction.classes, deduction.letterbox, deduction.colour) == (0, "stretch", "RGB")
    assert deduction.std[0] == std


@pytest.mark.parametrize(
    "shown",
    [
        facts((640, 640), {"rows": (0, 6)}),  # nobody asks for a scale
        facts((640, 640), {"rows": (0, 6)}, {"orig_target_sizes": (1, 2)}),
        facts((640, 640), {"rows": (0, 6), "masks": (0, 28, 28)}, {"scale_factor": (1, 2)}, ("masks",)),
        facts((640, 640), {"rows": (0, 7)}, {"scale_factor": (1, 2)}),
    ],
)
def test_what_is_not_sure_is_not_claimed(shown: GraphFacts) -> None:
    assert PaddleNms.deduce(shown) is None


@pytest.mark.parametrize("wrong", [{"a": (1, 300, 6)}, {"a": (3, 6), "b": (3, 6)}, {"a": (3, 7)}, {}])
def test_outputs_that_do_not_fit_are_one_clear_line(wrong: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(ModelError, match=r"expected one output \[n, 6\]") as raised:
        PaddleNms(SPEC, wrong)
    assert "\n" not in str(raised.value)
