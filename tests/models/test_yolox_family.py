"""YOLOX's output becomes the objects that the plain numpy twins find; graphs have random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_engine.errors import ModelError
from edge_engine.models.families.yolox import YoloX
from edge_engine.models.model import Model
from edge_engine.models.spec import InputSpec, ModelSpec
from edge_engine.result import Objects
from tests.models import heads
from tests.reference.nms import nms_reference
from tests.reference.objectness import decode_objectness_reference

CLASSES = 3
GRIDS = [(8, 13, 9), (16, 7, 5), (32, 4, 3)]  # stride, columns and rows of 104 x 72
CELLS = sum(columns * rows for _, columns, rows in GRIDS)


def spec(**options: Any) -> ModelSpec:  # noqa: ANN401
    picture = InputSpec(104, 72, "NHWC", "uint8", "BGR", "top-left")
    return ModelSpec("tiny", "detection", "yolox", picture, ("a", "b", "c"), 0.3, 0.45, options=options)


def cells_of(grids: list[tuple[int, int, int]]) -> NDArray[np.float32]:
    """Cell by cell, as the paper's authors lay them out."""
    cells = [(x, y, stride) for stride, columns, rows in grids for y in range(rows) for x in range(columns)]
    return np.array(cells, np.float32)


def head(seed: int) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.normal(size=(CELLS, 4)), rng.random((CELLS, 1 + CLASSES)) ** 0.5], axis=1)[
        None
    ].astype(np.float32)


def assert_as_the_references(
    found: Objects, output: NDArray[np.float32], cells: NDArray[np.float32] | None, score: float
) -> None:
    boxes, scores, class_ids = decode_objectness_reference(output, output.shape[1] - 5, cells, score)
    kept = nms_reference(boxes, scores, class_ids, 0.45)[:300]
    assert len(kept) > 3
    np.testing.assert_allclose(found.boxes_xyxy, boxes[kept], rtol=1e-6, atol=1e-5)
    np.testing.assert_array_equal(found.scores, scores[kept])
    np.testing.assert_array_equal(found.class_ids, class_ids[kept])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("score", [0.3, 0.0, 0.8])
def test_raw_boxes_are_decoded_on_the_grids_of_all_strides(seed: int, score: float) -> None:
    output = head(seed)
    found = YoloX(spec(), {"output": output.shape})([output], score, 0.45)
    assert_as_the_references(found, output[0], cells_of(GRIDS), score)


def test_boxes_that_the_graph_decoded_are_taken_as_they_are() -> None:
    output = head(1)
    output[..., 2:4] = np.exp(output[..., 2:4]) * 20
    found = YoloX(spec(decoded=True), {"output": output.shape})([output], 0.3, 0.45)
    assert_as_the_references(found, output[0], None, 0.3)


def test_other_strides_have_other_grids() -> None:
    grids = [*GRIDS, (64, 2, 2)]
    output = np.concatenate([head(1), head(2)[:, :4]], axis=1)
    found = YoloX(spec(strides=[8, 16, 32, 64]), {"output": output.shape})([output], 0.3, 0.45)
    assert_as_the_references(found, output[0], cells_of(grids), 0.3)


@pytest.mark.parametrize("decoded", [False, True])
def test_a_graph_without_metadata_is_known_raw_or_decoded(tmp_path: Path, decoded: bool) -> None:
    model = Model(heads.yolox(tmp_path / "mine.onnx", decoded=decoded))
    assert (model.spec.family, model.spec.options["decoded"]) == ("yolox", decoded)
    assert len(model.spec.labels) == heads.CLASSES
    assert (model.spec.input.colour, model.spec.input.letterbox) == ("BGR", "top-left")
    (output,) = heads.run(model)
    found = model.decoder([output], 0.1, 0.45)
    assert isinstance(found, Objects)
    cells = None if decoded else cells_of([(8, 8, 8), (16, 4, 4), (32, 2, 2)])
    assert_as_the_references(found, output[0], cells, 0.1)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_outputs_that_are_not_numbers_give_no_objects(value: float) -> None:
    output = np.full((1, CELLS, 5 + CLASSES), value, np.float32)
    assert len(YoloX(spec(), {"output": output.shape})([output], 0.0, 0.45)) == 0


def test_nothing_above_the_threshold_gives_no_objects() -> None:
    assert len(YoloX(spec(), {"output": (1, CELLS, 8)})([head(1)], 1.01, 0.45)) == 0


@pytest.mark.parametrize(
    "shapes", [{"a": (1, CELLS, 9)}, {"a": (1, CELLS + 1, 8)}, {"a": (1, 8, CELLS)}, {"a": (2, CELLS, 8)}, {}]
)
def test_outputs_that_do_not_fit_are_one_line(shapes: dict[str, Any]) -> None:
    with pytest.raises(
        ModelError, match=r"expected one output \[1, 164, 8\] for 3 labels and strides"
    ) as raised:
        YoloX(spec(), shapes)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("options", [{"strides": []}, {"strides": [8, 0]}, {"strides": 8}, {"decoded": "no"}])
def test_options_that_are_none_are_one_line(options: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match=r"option .* is .*; expected"):
        YoloX(spec(**options), {"output": (1, CELLS, 8)})
