"""The bundled INT8 model recognises in real street frames what the float model does.

The float model's objects are goldens of tools/import_nanodet.py --goldens.
"""

from __future__ import annotations

import json
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_engine import zoo
from edge_engine.letterbox import Letterbox
from edge_engine.models.model import Model
from tests.golden import GOLDEN
from tests.reference.nms import iou_of
from tools.importing.calibration import lay
from tools.importing.goldens import clip_frames

# Measured over the 31 frames: 41 sure objects, all matched, IoU 0.82 to 1, scores 0.085 apart at most.
SURE = 0.42
MIN_IOU = 0.75
MAX_SCORE_DIFFERENCE = 0.12


class Seen(NamedTuple):
    """One object of one model."""

    xyxy: NDArray[np.float32]
    score: float
    class_id: int


@pytest.fixture(scope="module")
def frames() -> dict[int, tuple[list[Seen], list[Seen]]]:
    """What the float and the INT8 model see, by frame."""
    goldens = json.loads((GOLDEN / "nanodet_float_objects.json").read_text())
    pictures = clip_frames([int(number) for number in goldens])
    model = Model(zoo.find_model("nanodet-g"))
    return {
        number: (
            [Seen(np.array(o["xyxy"], np.float32), o["score"], o["class_id"]) for o in goldens[str(number)]],
            recognise(model, picture),
        )
        for number, picture in pictures.items()
    }


def recognise(model: Model, picture: NDArray[np.uint8]) -> list[Seen]:
    tensor, outputs = lay(picture, model.spec.input)[None], model.new_outputs()
    model.run(model.bind(tensor, outputs))
    objects = model.decoder(outputs, 0.3, 0.6)
    boxes = Letterbox.fit((picture.shape[1], picture.shape[0]), (416, 416), "centre").to_source(
        objects.boxes_xyxy
    )
    return [
        Seen(*one) for one in zip(boxes, objects.scores.tolist(), objects.class_ids.tolist(), strict=True)
    ]


def best_match(one: Seen, others: list[Seen]) -> tuple[float, Seen | None]:
    same = [other for other in others if other.class_id == one.class_id]
    pairs = [(float(iou_of(one.xyxy, other.xyxy[None])[0]), other) for other in same]
    return max(pairs, key=lambda pair: pair[0], default=(0.0, None))


def test_every_sure_object_of_the_float_model_is_seen(
    frames: dict[int, tuple[list[Seen], list[Seen]]],
) -> None:
    sure = [(one, quantized) for floats, quantized in frames.values() for one in floats if one.score >= SURE]
    assert len(sure) >= 30
    for one, quantized in sure:
        iou, match = best_match(one, quantized)
        assert match is not None
        assert iou >= MIN_IOU
        assert abs(match.score - one.score) <= MAX_SCORE_DIFFERENCE


def test_nothing_sure_is_seen_that_the_float_model_does_not_see(
    frames: dict[int, tuple[list[Seen], list[Seen]]],
) -> None:
    for floats, quantized in frames.values():
        for one in quantized:
            if one.score >= SURE:
                assert best_match(one, floats)[0] >= MIN_IOU


def test_pixels_go_straight_into_the_first_convolution() -> None:
    import onnx

    graph = onnx.load(zoo.find_model("nanodet-g")).graph
    names = [node.op_type for node in graph.node[:2]]
    assert graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.UINT8
    transpose = next(node for node in graph.node if graph.input[0].name in node.input)
    dequantize = next(node for node in graph.node if transpose.output[0] in node.input)
    assert (transpose.op_type, dequantize.op_type) == ("Transpose", "DequantizeLinear"), names
    values = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    assert float(values[dequantize.input[1]]) == 1.0
    assert int(values[dequantize.input[2]]) == 114
