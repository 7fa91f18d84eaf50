"""PicoDet's outputs become the objects that the plain numpy twins find. Weights are random."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_engine.errors import ModelError
from edge_engine.models.families.picodet import PicoDet
from edge_engine.models.spec import InputSpec, ModelSpec
from edge_engine.result import Objects
from tests.models.made import made, opened, run
from tests.models.many_facts import PICODET
from tests.reference.gfl import decode_gfl_reference
from tests.reference.nms import nms_reference

STRIDES, CELLS = [8, 16, 32, 64], [64, 16, 4, 1]
LABELS = ("person", "car", "bicycle")
SPEC = ModelSpec(
    "tiny",
    "detection",
    "picodet",
    InputSpec(64, 64, "NCHW", "float32", "RGB", "stretch", std=(255.0,) * 3),
    LABELS,
    0.4,
    0.6,
)
OUTPUTS = {f"scores_{s}": ((1, n, len(LABELS)), "Sigmoid") for s, n in zip(STRIDES, CELLS, strict=True)} | {
    f"distances_{s}": ((1, n, 32), "Identity") for s, n in zip(STRIDES, CELLS, strict=True)
}
SHAPES = {name: shape for name, (shape, _) in OUTPUTS.items()}


def reference(outputs: dict[str, np.ndarray], score: float, iou: float) -> Objects:
    parts = [
        decode_gfl_reference(outputs[f"scores_{s}"][0], outputs[f"distances_{s}"][0], -(-64 // s), s, score)
        for s in STRIDES
    ]
    boxes, scores, class_ids = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    kept = nms_reference(boxes, scores, class_ids, iou)
    return Objects(boxes[kept], scores[kept], class_ids[kept])


@pytest.mark.parametrize(("score", "iou"), [(0.4, 0.6), (0.7, 0.3), (0.999, 0.6)])
def test_a_graph_gives_the_objects_of_the_reference(
    score: float, iou: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = opened(made(tmp_path / "picodet.onnx", SPEC, OUTPUTS), monkeypatch)
    outputs = run(model)
    found, expected = model.decoder(list(outputs.values()), score, iou), reference(outputs, score, iou)
    assert isinstance(found, Objects)
    assert len(found) > 3 or score > 0.9
    np.testing.assert_array_equal(found.class_ids, expected.class_ids)
    np.testing.assert_array_equal(found.scores, expected.scores)
    np.testing.assert_allclose(found.boxes_xyxy, expected.boxes_xyxy, rtol=1e-5, atol=1e-3)


def test_nothing_above_the_threshold_and_no_numbers_give_no_objects() -> None:
    decoder = PicoDet(SPEC, SHAPES)
    for value in (0.0, np.nan, np.inf):
        outputs = [np.full(shape, value, np.float32) for shape in SHAPES.values()]
        assert len(decoder(outputs, 0.5, 0.6)) == 0


def test_it_is_recognised_with_its_customs() -> None:
    deduction = PicoDet.deduce(PICODET)
    assert deduction is not None
    assert (deduction.classes, deduction.letterbox, deduction.colour) == (80, "stretch", "RGB")
    assert (deduction.mean, deduction.std) == ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
    assert deduction.options == {"strides": STRIDES, "reg_max": 7}


@pytest.mark.parametrize("wrong", [{"a": (1, 85, 3)}, dict(list(SHAPES.items())[:6]), {}])
def test_outputs_that_do_not_fit_are_one_clear_line(wrong: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(ModelError, match="doesn't fit the picodet family: expected") as raised:
        PicoDet(SPEC, wrong)
    assert "\n" not in str(raised.value)
