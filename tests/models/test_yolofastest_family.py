"""Yolo-FastestV2's outputs become the objects that the plain twins find; graphs have random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_engine.errors import ModelError
from edge_engine.models.families.yolofastest import YoloFastest
from edge_engine.models.model import Model
from edge_engine.models.spec import InputSpec, ModelSpec
from edge_engine.result import Objects
from tests.models import heads
from tests.reference.nms import nms_reference
from tests.reference.yolofastest import decode_yolofastest_reference

GRIDS = {16: (4, 6), 32: (2, 3)}  # rows and columns of 96 x 64
CELLS = 30
ANCHORS = [12.64, 19.39, 37.88, 51.48, 55.71, 138.31, 126.91, 78.23, 131.57, 214.55, 279.92, 258.87]
Grids = dict[int, NDArray[np.float32]]


def spec(**options: Any) -> ModelSpec:  # noqa: ANN401
    picture = InputSpec(96, 64, "NHWC", "uint8", "BGR", "stretch")
    return ModelSpec("tiny", "detection", "yolofastest", picture, ("a", "b", "c"), 0.3, 0.4, options=options)


def head(seed: int) -> Grids:
    rng = np.random.default_rng(seed)
    grids = {}
    for stride, grid in GRIDS.items():
        parts = [rng.random((*grid, 15)), rng.dirichlet([0.3] * 3, grid)]
        grids[stride] = np.concatenate(parts, axis=2).astype(np.float32)
    return grids


def in_cells(grids: Grids) -> NDArray[np.float32]:
    return np.concatenate([grid.reshape(-1, grid.shape[2]) for grid in grids.values()])


def assert_as_the_references(
    found: Objects, grids: Grids, score: float, iou: float, anchors: list[float] = ANCHORS
) -> None:
    pairs = list(zip(anchors[::2], anchors[1::2], strict=True))
    parts = [
        decode_yolofastest_reference(grid, stride, pairs[3 * i : 3 * i + 3], score)
        for i, (stride, grid) in enumerate(grids.items())
    ]
    boxes, scores, class_ids = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    kept = nms_reference(boxes, scores, class_ids, iou)
    assert len(kept) > 1
    np.testing.assert_allclose(found.boxes_xyxy, boxes[kept], rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(found.scores, scores[kept], rtol=1e-6)
    np.testing.assert_array_equal(found.class_ids, class_ids[kept])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("score", "iou"), [(0.3, 0.4), (0.01, 0.9), (0.7, 0.2)])
def test_finds_what_the_references_find(seed: int, score: float, iou: float) -> None:
    grids = head(seed)
    found = YoloFastest(spec(), {"845": (CELLS, 18)})([in_cells(grids)], score, iou)
    assert_as_the_references(found, grids, score, iou)


def test_the_strides_may_come_one_by_one_in_any_order() -> None:
    grids = head(1)
    shapes = {"coarse": (1, 2, 3, 18), "fine": (1, 4, 6, 18)}
    found = YoloFastest(spec(), shapes)([grids[32][None], grids[16][None]], 0.3, 0.4)
    assert_as_the_references(found, grids, 0.3, 0.4)


def test_other_anchors_give_other_boxes() -> None:
    grids, anchors = head(1), [float(length) for length in range(10, 130, 10)]
    found = YoloFastest(spec(anchors=anchors), {"845": (CELLS, 18)})([in_cells(grids)], 0.3, 0.4)
    assert_as_the_references(found, grids, 0.3, 0.4, anchors)


@pytest.mark.parametrize("layout", ["cells", "rows", "grids"])
def test_a_graph_without_metadata_is_known_in_each_layout(tmp_path: Path, layout: str) -> None:
    model = Model(heads.yolofastest(tmp_path / "mine.onnx", layout=layout))
    assert (model.spec.family, len(model.spec.labels)) == ("yolofastest", heads.CLASSES)
    assert (model.spec.input.colour, model.spec.input.letterbox) == ("BGR", "stretch")
    outputs = heads.run(model)
    found = model.decoder(outputs, 0.3, 0.4)
    assert isinstance(found, Objects)
    cells = np.concatenate([output.reshape(-1, 15 + heads.CLASSES) for output in outputs])
    grids = {16: cells[:16].reshape(4, 4, -1), 32: cells[16:].reshape(2, 2, -1)}
    assert_as_the_references(found, grids, 0.3, 0.4)


def test_nothing_above_the_threshold_gives_no_objects() -> None:
    assert len(YoloFastest(spec(), {"845": (CELLS, 18)})([in_cells(head(1))], 1.01, 0.4)) == 0


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("columns", [slice(0, 18), slice(0, 12), slice(12, 15), slice(15, 18)])
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_outputs_that_are_not_numbers_give_no_objects(value: float, columns: slice) -> None:
    output = in_cells(head(1))
    output[:, columns] = value
    assert len(YoloFastest(spec(), {"845": (CELLS, 18)})([output], 0.0, 0.4)) == 0


@pytest.mark.parametrize(
    "shapes",
    [
        {"a": (CELLS, 19)},
        {"a": (CELLS + 1, 18)},
        {"a": (1, 4, 6, 18)},
        {"a": (1, 4, 6, 18), "b": (1, 3, 2, 18)},
        {"a": (CELLS, 18), "b": (CELLS, 18)},
        {},
    ],
)
def test_outputs_that_do_not_fit_are_one_line(shapes: dict[str, Any]) -> None:
    with pytest.raises(
        ModelError, match="expected cells of strides 16 and 32, 18 wide for 3 labels; outputs are"
    ):
        YoloFastest(spec(), shapes)


@pytest.mark.parametrize("anchors", [[1, 2], "large", [[1, 2]] * 5, [*ANCHORS[:-1], 0], None])
def test_anchors_that_are_none_are_one_line(anchors: object) -> None:
    with pytest.raises(ModelError, match=r"option anchors is .*; expected 12 lengths"):
        YoloFastest(spec(anchors=anchors), {"845": (CELLS, 18)})
