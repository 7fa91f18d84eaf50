"""NanoDet's and NanoDet-Plus's outputs become the objects that the plain numpy twins find, in each layout."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_engine.errors import ModelError
from edge_engine.models.facts import GraphFacts
from edge_engine.models.families import load_family
from edge_engine.models.families.family import MAX_OBJECTS
from edge_engine.models.families.nanodet import NanoDet
from edge_engine.models.spec import InputSpec, ModelSpec
from edge_engine.result import Objects
from tests.models.many_facts import NANODET, NANODET_G, NANODET_JOINED, facts
from tests.reference.gfl import decode_gfl_reference
from tests.reference.nms import nms_reference

WIDTH, HEIGHT, CLASSES, REG_MAX = 104, 72, 5, 10  # no multiples of 16 or 32: the grids are rounded up
STRIDES = [8, 16, 32]
GRIDS = [(13, 9), (7, 5), (4, 3)]

Output = NDArray[np.float32]


def spec(labels: int = CLASSES, **options: Any) -> ModelSpec:  # noqa: ANN401 - a family's own options
    picture = InputSpec(WIDTH, HEIGHT, "NHWC", "uint8", "BGR", "centre")
    names = tuple(f"class {i}" for i in range(labels))
    options = {"strides": STRIDES, **options}
    return ModelSpec("tiny", "detection", "nanodet", picture, names, 0.4, 0.6, options=options)


def heads(seed: int = 0, reg_max: int = REG_MAX, classes: int = CLASSES) -> list[tuple[Output, Output]]:
    """Scores and distributions of each stride, a few of the scores high."""
    rng = np.random.default_rng(seed)
    return [
        (
            (rng.random((1, w * h, classes)) ** 4).astype(np.float32),
            (rng.normal(size=(1, w * h, 4 * (reg_max + 1))) * 2).astype(np.float32),
        )
        for w, h in GRIDS
    ]


def per_stride(parts: list[tuple[Output, Output]]) -> dict[str, Output]:
    """Six outputs, in no helpful order."""
    names = {f"out{i}{j}": part for i, pair in enumerate(parts) for j, part in enumerate(pair)}
    return {name: names[name] for name in ("out11", "out20", "out01", "out10", "out21", "out00")}


def concatenated(parts: list[tuple[Output, Output]]) -> dict[str, Output]:
    scores, distances = zip(*parts, strict=True)
    return {"b": np.concatenate(distances, axis=1), "a": np.concatenate(scores, axis=1)}


def shapes(outputs: dict[str, Output]) -> dict[str, tuple[int, ...]]:
    return {name: output.shape for name, output in outputs.items()}


def decode(outputs: dict[str, Output], score: float = 0.4, iou: float = 0.6, **options: Any) -> Objects:  # noqa: ANN401
    return NanoDet(spec(**options), shapes(outputs))(list(outputs.values()), score, iou)


def reference(
    parts: list[tuple[Output, Output]], score: float = 0.4, iou: float = 0.6, cell_offset: float = 0.5
) -> Objects:
    decoded = [
        decode_gfl_reference(scores[0], distances[0], width, stride, score, cell_offset)
        for (scores, distances), (width, _), stride in zip(parts, GRIDS, STRIDES, strict=True)
    ]
    boxes, scores, class_ids = (np.concatenate(arrays) for arrays in zip(*decoded, strict=True))
    kept = nms_reference(boxes, scores, class_ids, iou)[:MAX_OBJECTS]
    return Objects(boxes[kept], scores[kept], class_ids[kept])


def assert_same(found: Objects, expected: Objects) -> None:
    np.testing.assert_array_equal(found.class_ids, expected.class_ids)
    np.testing.assert_array_equal(found.scores, expected.scores)
    np.testing.assert_allclose(found.boxes_xyxy, expected.boxes_xyxy, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("layout", [per_stride, concatenated])
@pytest.mark.parametrize("score", [0.05, 0.4, 0.8])
@pytest.mark.parametrize("iou", [0.1, 0.6])
def test_either_layout_gives_the_objects_of_the_reference(layout: Any, score: float, iou: float) -> None:  # noqa: ANN401
    parts = heads()
    expected = reference(parts, score, iou)
    assert len(expected) > 3
    assert_same(decode(layout(parts), score, iou), expected)


def test_seven_strides_of_reach_are_deduced_from_the_shapes() -> None:
    parts = heads(reg_max=7)
    assert_same(decode(concatenated(parts)), reference(parts))
    assert_same(decode(concatenated(parts), reg_max=7), reference(parts))


def test_frames_do_not_share_their_objects() -> None:
    first, second = heads(seed=1), heads(seed=2)
    decoder = NanoDet(spec(), shapes(concatenated(first)))
    objects = decoder(list(concatenated(first).values()), 0.4, 0.6)
    decoder(list(concatenated(second).values()), 0.4, 0.6)
    assert_same(objects, reference(first))


def test_nothing_above_the_threshold_gives_no_objects() -> None:
    assert len(decode(per_stride(heads()), score=1.5)) == 0


def test_there_are_at_most_so_many_objects_the_best_first() -> None:
    parts = heads()
    objects = decode(concatenated(parts), score=0.0, iou=1.0)
    best = np.sort(np.concatenate([scores.ravel() for scores, _ in parts]))[::-1]
    np.testing.assert_array_equal(objects.scores, best[:MAX_OBJECTS])


def test_outputs_that_are_not_numbers_give_no_objects() -> None:
    outputs = {name: np.full_like(output, np.nan) for name, output in concatenated(heads()).items()}
    assert len(decode(outputs, score=0.0)) == 0


def test_scores_as_wide_as_the_distributions_must_be_named() -> None:
    parts = heads(reg_max=7, classes=32)
    outputs = concatenated(parts)
    with pytest.raises(ModelError, match="score_outputs"):
        NanoDet(spec(labels=32), shapes(outputs))
    assert_same(decode(outputs, labels=32, score_outputs=["a"]), reference(parts))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"a": (1, 164, CLASSES)}, "such as 32 or 44 beside 5 scores"),
        ({"a": (1, 164, CLASSES), "b": (1, 164, 45)}, "distributions"),  # no whole number of bins
        ({"a": (1, 164, CLASSES), "b": (164, 44)}, r"\[1, cells, width\]"),
        ({"a": (2, 164, CLASSES), "b": (2, 164, 44)}, r"\[1, cells, width\]"),
        ({"a": (1, 164, 80), "b": (1, 164, 44)}, "5 wide, one for each label"),
        ({"a": (1, 165, CLASSES), "b": (1, 165, 44)}, "164 cells for an input of 104x72"),
        ({"a": (1, 164, CLASSES), "b": (1, 163, 44)}, "164 cells"),
        ({"a": (1, 164, CLASSES), "b": (1, 164, CLASSES)}, "look alike"),
        ({"a": (1, 164, CLASSES), "b": (1, 164, 0)}, "distributions"),
        ({}, "outputs are none"),
    ],
)
def test_outputs_that_do_not_fit_are_one_clear_line(wrong: dict[str, tuple[int, ...]], message: str) -> None:
    with pytest.raises(ModelError, match=message) as raised:
        NanoDet(spec(), wrong)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("strides", [None, [], [8, 0], ["8"], 8])
def test_strides_that_are_none_are_one_clear_line(strides: object) -> None:
    with pytest.raises(ModelError, match="option strides"):
        NanoDet(spec(strides=strides), {"a": (1, 164, CLASSES), "b": (1, 164, 44)})


@pytest.mark.parametrize("reg_max", [7, 0, "10"])
def test_a_reach_other_than_the_files_is_refused(reg_max: object) -> None:
    with pytest.raises(ModelError, match="reg_max"):
        NanoDet(spec(reg_max=reg_max), shapes(concatenated(heads())))


def test_the_registry_loads_a_family_by_name_and_names_those_it_knows() -> None:
    assert load_family("nanodet") is NanoDet
    with pytest.raises(ModelError, match=r"known families: .*nanodet"):
        load_family("yolov99")


def joint(parts: list[tuple[Output, Output]]) -> dict[str, Output]:
    return {"output": np.concatenate([np.concatenate(pair, axis=2) for pair in parts], axis=1)}


@pytest.mark.parametrize("score", [0.05, 0.4])
@pytest.mark.parametrize("cell_offset", [0, 0.5])
def test_all_in_one_output_gives_the_objects_of_the_reference(score: float, cell_offset: float) -> None:
    parts = heads(reg_max=7)
    found = decode(joint(parts), score, cell_offset=cell_offset)
    assert len(found) > 3
    assert_same(found, reference(parts, score, cell_offset=cell_offset))


def test_nanodet_plus_counts_from_its_cells_corners() -> None:
    """One stride to each side of the cell in row 1, column 2 of stride 8: its point is at 16, 8."""
    deduction = NanoDet.deduce(facts((64, 64), {"output": (1, 85, CLASSES + 32)}))
    assert deduction is not None
    assert (deduction.classes, deduction.letterbox, deduction.colour) == (CLASSES, "stretch", "BGR")
    picture = InputSpec(64, 64, "NHWC", "uint8", "BGR", "stretch")
    names = tuple(f"class {i}" for i in range(CLASSES))
    plus = ModelSpec("plus", "detection", "nanodet", picture, names, 0.4, 0.6, options=deduction.options)
    output = np.zeros((1, 85, CLASSES + 32), np.float32)
    output[0, 10, 3] = 0.75
    output[0, 10, CLASSES + 1 :: 8] = 1000
    objects = NanoDet(plus, {"output": output.shape})([output], 0.4, 0.6)
    assert objects.boxes_xyxy.tolist() == [[8, 0, 24, 16]]
    assert (objects.class_ids.tolist(), objects.scores.tolist()) == ([3], [0.75])


@pytest.mark.parametrize(("shown", "reg_max"), [(NANODET, 7), (NANODET_G, 10), (NANODET_JOINED, 7)])
def test_nanodet_is_recognised_with_its_customs(shown: GraphFacts, reg_max: int) -> None:
    deduction = NanoDet.deduce(shown)
    assert deduction is not None
    assert (deduction.classes, deduction.letterbox, deduction.colour) == (80, "centre", "BGR")
    assert (deduction.mean, deduction.std) == ((103.53, 116.28, 123.675), (57.375, 57.12, 58.395))
    assert deduction.options == {"strides": STRIDES, "reg_max": reg_max, "cell_offset": 0.5}


@pytest.mark.parametrize(
    "outputs",
    [
        {"a": (1, 3549, 32), "b": (1, 3549, 44)},  # either may be the distributions
        {"a": (1, 3549, 32), "b": (1, 3549, 32)},
        {"a": (1, 3549, 80), "b": (1, 3549, 36)},  # no published reach
        {"a": (1, 3549, 80), "b": (1, 3548, 32)},
        {"a": (1, 3598, 32)},  # no room for scores
        {"a": (2, 3598, 112)},
    ],
)
def test_what_cannot_be_told_is_not_claimed(outputs: dict[str, tuple[int, ...]]) -> None:
    assert NanoDet.deduce(facts((416, 416), outputs)) is None


@pytest.mark.parametrize("cell_offset", ["middle", True, -0.5, None])
def test_a_cell_offset_that_is_none_is_one_clear_line(cell_offset: object) -> None:
    with pytest.raises(ModelError, match=r"option cell_offset is .*; expected 0\.5"):
        NanoDet(spec(cell_offset=cell_offset), shapes(concatenated(heads())))
