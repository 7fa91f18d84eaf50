"""FastestDet's output becomes the objects that the plain twins find; the graph has random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_engine.errors import ModelError
from edge_engine.models.families.fastestdet import FastestDet
from edge_engine.models.model import Model
from edge_engine.models.spec import InputSpec, ModelSpec
from edge_engine.result import Objects
from tests.models import heads
from tests.reference.fastestdet import decode_fastestdet_reference
from tests.reference.nms import nms_reference

SIZE = (96, 64)
SHAPE = (1, 8, 4, 6)
PICTURE = InputSpec(*SIZE, "NHWC", "uint8", "BGR", "stretch")
SPEC = ModelSpec("tiny", "detection", "fastestdet", PICTURE, ("a", "b", "c"), 0.65, 0.45)


def head(seed: int) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    parts = [rng.random((1, 1, 4, 6)), rng.normal(size=(1, 4, 4, 6)), rng.dirichlet([0.3] * 3, (1, 4, 6))]
    parts[2] = parts[2].transpose(0, 3, 1, 2)
    return np.concatenate(parts, axis=1).astype(np.float32)


def assert_as_the_references(
    found: Objects, output: NDArray[np.float32], size: tuple[int, int], score: float, iou: float
) -> None:
    boxes, scores, class_ids = decode_fastestdet_reference(output, size, score)
    kept = nms_reference(boxes, scores, class_ids, iou)
    np.testing.assert_allclose(found.boxes_xyxy, boxes[kept], rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(found.scores, scores[kept], rtol=1e-5)
    np.testing.assert_array_equal(found.class_ids, class_ids[kept])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("score", "iou"), [(0.65, 0.45), (0.01, 0.9), (0.3, 0.2)])
def test_finds_what_the_references_find(seed: int, score: float, iou: float) -> None:
    output = head(seed)
    found = FastestDet(SPEC, {"758": SHAPE})([output], score, iou)
    assert len(found) > 1
    assert_as_the_references(found, output[0], SIZE, score, iou)


def test_nothing_above_the_threshold_gives_no_objects() -> None:
    assert len(FastestDet(SPEC, {"758": SHAPE})([head(1)], 1.01, 0.45)) == 0


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("channels", [slice(0, 8), slice(0, 1), slice(2, 3), slice(4, 5), slice(5, 8)])
def test_outputs_that_are_not_numbers_give_no_objects(value: float, channels: slice) -> None:
    output = head(1)
    output[:, channels] = value
    assert len(FastestDet(SPEC, {"758": SHAPE})([output], 0.0, 0.45)) == 0


def test_large_raw_sizes_fill_the_input_and_small_ones_are_no_box() -> None:
    output = head(1)
    output[:, 3:5] = 1000
    assert len(FastestDet(SPEC, {"758": SHAPE})([output], 0.1, 1.0)) > 3
    output[:, 3] = -1000
    assert len(FastestDet(SPEC, {"758": SHAPE})([output], 0.1, 1.0)) == 0


def test_a_graph_without_metadata_is_known(tmp_path: Path) -> None:
    model = Model(heads.fastestdet(tmp_path / "mine.onnx"))
    assert (model.spec.family, len(model.spec.labels)) == ("fastestdet", heads.CLASSES)
    assert (model.spec.input.colour, model.spec.input.letterbox) == ("BGR", "stretch")
    (output,) = heads.run(model)
    found = model.decoder([output], 0.3, 0.45)
    assert isinstance(found, Objects)
    assert len(found) > 1
    assert_as_the_references(found, output[0], (heads.SIZE, heads.SIZE), 0.3, 0.45)


@pytest.mark.parametrize("shapes", [{"a": (1, 9, 4, 6)}, {"a": (1, 8, 6, 4)}, {"a": (8, 4, 6)}, {}])
def test_outputs_that_do_not_fit_are_one_line(shapes: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match=r"expected one output \[1, 8, 4, 6\] for 3 labels; outputs are"):
        FastestDet(SPEC, shapes)
