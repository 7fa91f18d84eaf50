"""SSD's and EfficientDet's heads become the objects that the plain numpy twins find. Weights are random."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_engine.errors import ModelError
from edge_engine.models.families.anchors import make_anchors
from edge_engine.models.families.ssd import Ssd
from edge_engine.models.spec import InputSpec, ModelSpec
from edge_engine.result import Objects
from tests.models.made import made, opened, run
from tests.models.many_facts import EFFICIENTDET, MOBILENET_SSD, facts
from tests.reference.anchors import anchors_reference, decode_anchors_reference
from tests.reference.nms import nms_reference

LABELS, SIZE, ANCHORS = ("person", "car", "bicycle", "dog"), 64, (16 + 4) * 3
SHAPES = {
    16: [(16.0, 16.0), (16 * 2**0.5, 16 / 2**0.5), (16 / 2**0.5, 16 * 2**0.5)],
    32: [(32.0, 32.0), (32 * 2**0.5, 32 / 2**0.5), (32 / 2**0.5, 32 * 2**0.5)],
}
OPTIONS = {
    "scores": "values",
    "boxes": "offsets",
    "strides": [16, 32],
    "sizes": [[16], [32]],
    "ratios": [1, 2, 0.5],
}


def spec(size: tuple[int, int] = (SIZE, SIZE), **options: Any) -> ModelSpec:  # noqa: ANN401 - a family's own
    picture = InputSpec(*size, "NCHW", "float32", "RGB", "stretch", std=(255.0,) * 3)
    return ModelSpec("tiny", "detection", "ssd", picture, LABELS, 0.5, 0.45, options=options)


def expected(
    values: NDArray[np.float32],
    offsets: NDArray[np.float32],
    score: float,
    activation: str,
    background: int,
    is_yxhw: bool = False,
    variances: tuple[float, ...] = (0.1, 0.1, 0.2, 0.2),
) -> Objects:
    anchors = anchors_reference([(4, 4), (2, 2)], list(SHAPES), list(SHAPES.values()))
    boxes, scores, class_ids = decode_anchors_reference(
        values, offsets, anchors, variances, activation, background, is_yxhw, score
    )
    kept = nms_reference(boxes, scores, class_ids, 0.45)[:300]
    return Objects(boxes[kept], scores[kept], class_ids[kept])


def assert_same(found: Any, wanted: Objects) -> None:  # noqa: ANN401 - an answer
    assert isinstance(found, Objects)
    np.testing.assert_array_equal(found.class_ids, wanted.class_ids)
    np.testing.assert_allclose(found.scores, wanted.scores, rtol=1e-6)
    np.testing.assert_allclose(found.boxes_xyxy, wanted.boxes_xyxy, rtol=1e-4, atol=1e-3)


def random_head(columns: int, seed: int = 4) -> list[NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    shapes = (1, ANCHORS, columns), (1, ANCHORS, 4)
    return [
        (rng.normal(size=shape) * scale).astype(np.float32)
        for shape, scale in zip(shapes, (3, 1), strict=True)
    ]


def shapes(head: list[NDArray[np.float32]]) -> dict[str, tuple[int, ...]]:
    return {"values": head[0].shape, "offsets": head[1].shape}


@pytest.mark.parametrize("columns", [4, 5])
def test_a_graph_gives_the_objects_of_the_reference(
    columns: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = {"offsets": ((1, ANCHORS, 4), "Identity"), "values": ((1, ANCHORS, columns), "Identity")}
    activation = "sigmoid" if columns == 4 else "softmax"
    model = opened(made(tmp_path / "ssd.onnx", spec(**OPTIONS, activation=activation), outputs), monkeypatch)
    found = run(model)
    objects = model.decoder(list(found.values()), 0.3, 0.45)
    background = columns - 5
    assert_same(objects, expected(found["values"][0], found["offsets"][0], 0.3, activation, background))
    assert isinstance(objects, Objects)
    assert len(objects) > 3


@pytest.mark.parametrize("activation", ["softmax", "sigmoid", "none"])
@pytest.mark.parametrize("background", ["first", "last", "absent"])
@pytest.mark.parametrize("order", ["xywh", "yxhw"])
@pytest.mark.parametrize("score", [0.05, 0.5, 0.9])
def test_finds_what_the_references_find(activation: str, background: str, order: str, score: float) -> None:
    column = {"first": 0, "last": 4, "absent": -1}[background]
    values, offsets = random_head(columns=4 if background == "absent" else 5)
    if activation == "none":
        values = abs(values) / abs(values).max()
    variances = (0.1, 0.2, 0.3, 0.4)
    options = {"activation": activation, "offset_order": order, "variances": list(variances)}
    if background != "absent":
        options["background"] = background
    decoder = Ssd(spec(**OPTIONS, **options), shapes([values, offsets]))
    wanted = expected(values[0], offsets[0], score, activation, column, order == "yxhw", variances)
    assert len(wanted) > 0
    assert_same(decoder([values, offsets], score, 0.45), wanted)


def test_boxes_that_the_graph_has_decoded_are_scaled_to_the_input() -> None:
    """As pytorch-ssd gives them: background first, after the softmax, boxes 0..1."""
    deduction = Ssd.deduce(MOBILENET_SSD)
    assert deduction is not None
    assert (deduction.classes, deduction.colour, deduction.letterbox) == (20, "RGB", "stretch")
    scores, boxes = np.zeros((1, 3000, 5), np.float32), np.zeros((1, 3000, 4), np.float32)
    scores[0, :, 0] = 0.99
    scores[0, 7], boxes[0, 7] = (0.125, 0, 0, 0.875, 0), (0.25, 0.5, 0.75, 0.875)
    scores[0, 9, 2] = 0.75  # of a box without an area
    decoder = Ssd(spec((300, 200), **deduction.options), {"scores": scores.shape, "boxes": boxes.shape})
    objects = decoder([scores, boxes], 0.5, 0.45)
    assert objects.boxes_xyxy.tolist() == [[75, 100, 225, 175]]
    assert (objects.class_ids.tolist(), objects.scores.tolist()) == ([2], [0.875])
    for value in (np.nan, np.inf, -np.inf):
        assert len(decoder([scores, np.full_like(boxes, value)], 0.5, 0.45)) == 0


def test_efficientdets_anchors_are_those_of_its_paper() -> None:
    deduction = Ssd.deduce(EFFICIENTDET)
    assert deduction is not None
    assert (deduction.classes, deduction.letterbox) == (90, "top-left")
    anchors = make_anchors(spec((512, 512), **deduction.options), 49104)
    of_cell = [
        (2 ** (k / 3) * x, 2 ** (k / 3) * y) for k in range(3) for x, y in ((1, 1), (1.4, 0.7), (0.7, 1.4))
    ]
    strides = [8, 16, 32, 64, 128]
    shapes_ = [[(4 * stride * x, 4 * stride * y) for x, y in of_cell] for stride in strides]
    wanted = anchors_reference([(512 // stride,) * 2 for stride in strides], strides, shapes_)
    np.testing.assert_allclose(anchors, wanted, rtol=1e-5)


def test_an_offset_of_one_moves_an_efficientdet_anchor_by_its_height() -> None:
    deduction = Ssd.deduce(EFFICIENTDET)
    assert deduction is not None
    scores, offsets = np.zeros((1, 49104, 4), np.float32), np.zeros((1, 49104, 4), np.float32)
    scores[0, 1, 3], offsets[0, 1, 0] = (
        0.9,
        1,
    )  # the second anchor of the first cell, 44.8 x 22.4 around (4, 4)
    shown = {"regression": offsets.shape, "classification": scores.shape, "anchors": offsets.shape}
    decoder = Ssd(spec((512, 512), **deduction.options), shown)
    objects = decoder([offsets, scores, offsets], 0.5, 0.5)
    np.testing.assert_allclose(objects.boxes_xyxy, [[-18.4, 15.2, 26.4, 37.6]], rtol=1e-5)


def test_grids_that_do_not_divide_the_input_are_rounded_up() -> None:
    """SSD300's, and SSDLite's of 320 / 3 pixels."""
    strides = [8, 16, 32, 64, 100, 300]
    one = spec((300, 300), strides=strides, anchors=[[[30, 20]]] * 6)
    cells = [38, 19, 10, 5, 3, 1]
    wanted = anchors_reference([(n, n) for n in cells], strides, [[(30, 20)]] * 6)
    np.testing.assert_allclose(make_anchors(one, len(wanted)), wanted)
    third = spec((320, 320), strides=[320 / 3], sizes=[[60, 70]], ratios=[1])
    assert make_anchors(third, 18)[:2].tolist() == [
        [np.float32(160 / 3), np.float32(160 / 3), size, size] for size in (60, 70)
    ]


def test_nothing_above_the_threshold_and_no_numbers_give_no_objects() -> None:
    head = random_head(5)
    decoder = Ssd(spec(**OPTIONS), shapes(head))
    for value in (np.nan, np.inf, -np.inf):
        assert len(decoder([np.full_like(array, value) for array in head], 0.1, 0.45)) == 0
        assert len(decoder([head[0], np.full_like(head[1], value)], 0.1, 0.45)) == 0
    assert len(decoder(head, 1.1, 0.45)) == 0


def test_scores_of_three_labels_and_a_background_are_told_by_their_names() -> None:
    shown = facts((300, 300), {"scores": (1, 3000, 4), "boxes": (1, 3000, 4)}, Softmax=1)
    deduction = Ssd.deduce(shown)
    assert deduction is not None
    assert (deduction.classes, deduction.options["scores"], deduction.options["boxes"]) == (
        3,
        "scores",
        "boxes",
    )
    assert Ssd.deduce(facts((300, 300), {"a": (1, 3000, 4), "b": (1, 3000, 4)}, Softmax=1)) is None


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"values": (1, ANCHORS, 6), "offsets": (1, ANCHORS, 4)}, r"\[1, n, 4\] or \[1, n, 5\] for 4 labels"),
        ({"values": (1, ANCHORS, 5), "offsets": (1, ANCHORS - 1, 4)}, "doesn't fit the ssd family"),
        ({"values": (1, 7, 5), "offsets": (1, 7, 4)}, "options make 60 anchors .* outputs have 7"),
        ({}, "outputs are none"),
    ],
)
def test_outputs_that_do_not_fit_are_one_clear_line(wrong: dict[str, tuple[int, ...]], message: str) -> None:
    with pytest.raises(ModelError, match=message) as raised:
        Ssd(spec(**OPTIONS), wrong)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("strides", None),
        ("strides", [8, -1]),
        ("sizes", [[16]]),
        ("sizes", [[16], [0]]),
        ("sizes", None),
        ("ratios", []),
        ("ratios", 2),
        ("anchors", [[[16, 16]]]),
        ("anchors", [[[16]], [[32]]]),
        ("variances", [0.1]),
        ("variances", [0.1, 0.1, 0.2, "0.2"]),
        ("activation", "tanh"),
        ("background", "middle"),
        ("offset_order", "whxy"),
        ("box_format", "xyxy"),
    ],
)
def test_options_that_are_none_are_one_clear_line(name: str, value: object) -> None:
    with pytest.raises(ModelError, match=f"option {name} is .*; expected") as raised:
        Ssd(spec(**OPTIONS | {name: value}), shapes(random_head(5)))
    assert "\n" not in str(raised.value)
