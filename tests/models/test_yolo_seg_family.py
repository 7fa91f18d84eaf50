"""YOLO's boxes, coefficients and prototypes become objects with masks, as the plain numpy twins find them.

The graphs here are small ones of the test's own making, with random weights: a trained model is none of them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from edge_engine.errors import ModelError
from edge_engine.models.facts import Shape
from edge_engine.models.families import load_family
from edge_engine.models.families.yolo_seg import YoloSeg
from edge_engine.models.model import Model
from edge_engine.models.spec import InputSpec, ModelSpec
from edge_engine.result import Objects
from tests.models.shapes import CELLS, OTHERS, facts
from tests.models.shapes import SIZE as LARGE
from tests.models.yolo_heads import FORMS, HEIGHT, SIZE, WIDTH, graph, made_head
from tests.reference.masks import cut_masks_reference
from tests.reference.yolo_head import decode_head

EXTRAS = 8
GRID = (1, EXTRAS, HEIGHT // 4, WIDTH // 4)


def spec(classes: int) -> ModelSpec:
    picture = InputSpec(WIDTH, HEIGHT, "NHWC", "uint8", "RGB", "centre")
    labels = tuple(f"label {i}" for i in range(classes))
    return ModelSpec("tiny", "instance-segmentation", "yolo_seg", picture, labels, 0.25, 0.7)


def made_protos(seed: int) -> NDArray[np.float32]:
    return (np.random.default_rng(seed).integers(-8, 9, GRID) / 4).astype(np.float32)


def decode(
    output: NDArray[np.floating], protos: NDArray[np.floating], classes: int, score: float, iou: float
) -> Objects:
    decoder = load_family("yolo_seg")(spec(classes), {"output1": protos.shape, "output0": output.shape})
    found = decoder([protos, output], score, iou)
    assert isinstance(found, Objects)
    return found


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("classes", [1, 4])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("score", "iou"), [(0.25, 0.7), (0.0, 0.3), (0.8, 0.5)])
def test_finds_what_the_references_find(form: str, classes: int, seed: int, score: float, iou: float) -> None:
    output, protos = made_head(form, classes, EXTRAS, seed), made_protos(seed)
    found = decode(output, protos, classes, score, iou)
    expected = decode_head(form, output, classes, score, iou)
    assert len(expected.scores) > 3
    np.testing.assert_array_equal(found.boxes_xyxy, expected.boxes_xyxy)
    np.testing.assert_array_equal(found.scores, expected.scores)
    np.testing.assert_array_equal(found.class_ids, expected.class_ids)
    masks = cut_masks_reference(expected.extras, protos[0], expected.boxes_xyxy, SIZE)
    assert masks.any()
    assert found.masks is not None
    assert found.masks.dtype == np.uint8
    np.testing.assert_array_equal(found.masks, masks)


@pytest.mark.parametrize("form", FORMS)
def test_nothing_above_the_threshold_gives_no_masks(form: str) -> None:
    found = decode(made_head(form, 3, EXTRAS, 1), made_protos(1), 3, 1.5, 0.7)
    assert found.masks is not None
    assert found.masks.shape == (0, HEIGHT // 4, WIDTH // 4)


@pytest.mark.parametrize("form", FORMS)
def test_half_precision_is_read_as_well(form: str) -> None:
    half = made_head(form, 3, EXTRAS, 1).astype(np.float16)
    found, expected = (
        decode(half, made_protos(1).astype(np.float16), 3, 0.2, 0.7),
        decode(half.astype(np.float32), made_protos(1), 3, 0.2, 0.7),
    )
    assert len(found) > 3
    np.testing.assert_array_equal(found.boxes_xyxy, expected.boxes_xyxy)
    np.testing.assert_array_equal(found.scores, expected.scores)
    assert found.masks is not None
    np.testing.assert_array_equal(found.masks, expected.masks)


def test_an_end_to_end_output_may_have_no_rows() -> None:
    output = np.empty((1, 0, 6 + EXTRAS), np.float32)
    assert len(decode(output, made_protos(1), 3, 0.2, 0.7)) == 0


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_make_no_objects(form: str, value: float) -> None:
    output, protos = made_head(form, 3, EXTRAS, 1), made_protos(1)
    assert len(decode(np.full_like(output, value), protos, 3, 0.0, 0.7)) == 0
    quantities = output.shape[1 if form == "columns" else 2]
    for i in [0, 3, quantities - 1]:
        broken = output.copy()
        broken[(0, i) if form == "columns" else (0, slice(None), i)] = value
        assert len(decode(broken, protos, 3, 0.2, 0.7)) == 0
    found = decode(output, np.full_like(protos, np.nan), 3, 0.2, 0.7)
    assert len(found) > 0
    assert found.masks is not None
    assert not found.masks.any()


@pytest.mark.parametrize("form", FORMS)
def test_boxes_without_area_are_no_objects(form: str) -> None:
    output = made_head(form, 3, EXTRAS, 1)
    rows = output[0].T if form == "columns" else output[0]
    rows[:, 2] = rows[:, 0] if form == "end-to-end" else 0
    assert len(decode(output, made_protos(1), 3, 0.2, 0.7)) == 0


def test_end_to_end_rows_of_no_known_class_are_no_objects() -> None:
    output = made_head("end-to-end", 3, EXTRAS, 1)
    output[0, ::2, 5] = 3
    output[0, 1::2, 5] = -1
    assert len(decode(output, made_protos(1), 3, 0.2, 0.7)) == 0


def test_more_candidates_than_there_is_room_for_leave_the_best() -> None:
    rng = np.random.default_rng(1)
    output = rng.random((1, 6000, 6 + EXTRAS)).astype(np.float32)
    output[0, :, 4:6] = np.sqrt(rng.permutation(6000) / 6000)[:, None]
    found = decode(output, made_protos(1), 1, 0.0, 1.0)
    expected = decode_head("end-to-end", output, 1, 0.0, 1.0)
    np.testing.assert_array_equal(found.scores, expected.scores)
    large = np.concatenate([output[..., :6], output[..., 5:6], output[..., 6:]], axis=2)  # of two classes
    found, expected = (
        decode(large, made_protos(1), 2, 0.0, 1.0),
        decode_head("objectness", large, 2, 0.0, 1.0),
    )
    np.testing.assert_array_equal(found.scores, expected.scores)


def test_a_model_as_ultralytics_exports_it_segments_a_picture(tmp_path: Path) -> None:
    metadata = {"task": "segment", "names": "{0: 'person', 1: 'car', 2: 'bicycle'}"}
    path = graph(tmp_path / "seg.onnx", 3, EXTRAS, metadata, has_prototypes=True)
    picture = np.random.default_rng(4).integers(0, 256, (1, HEIGHT, WIDTH, 3), np.uint8)
    session = onnxruntime.InferenceSession(path)
    output, protos = session.run(None, {"images": np.float32(picture.transpose(0, 3, 1, 2) / 255)})
    model = Model(path)
    tensor, outputs = model.new_input(), model.new_outputs()
    tensor[:] = picture
    model.run(model.bind(tensor, outputs))
    assert (model.spec.task, model.spec.family) == ("instance-segmentation", "yolo_seg")
    found = model.decoder(outputs, 0.6, 0.7)
    expected = decode_head("columns", output, 3, 0.6, 0.7)
    assert isinstance(found, Objects)
    assert len(found) > 5
    np.testing.assert_allclose(found.boxes_xyxy, expected.boxes_xyxy, atol=1e-3)
    np.testing.assert_array_equal(found.class_ids, expected.class_ids)
    masks = cut_masks_reference(expected.extras, protos[0], expected.boxes_xyxy, SIZE)
    assert found.masks is not None
    assert found.masks.shape == masks.shape
    assert (found.masks != masks).mean() < 1e-3  # sums of nearly 0 may fall to either side


@pytest.mark.parametrize(
    "shapes",
    [
        {"a": (1, 4 + 3 + EXTRAS, CELLS)},
        {"a": GRID},
        {"a": (1, 4 + 3 + EXTRAS + 1, 126), "b": GRID},
        {"a": (2, 4 + 3 + EXTRAS, 126), "b": GRID},
        {"a": (1, 4 + 3 + EXTRAS, 126), "b": GRID[1:]},
        {"a": (1, 4 + 3 + EXTRAS, 126), "b": GRID, "c": GRID},
        {},
    ],
)
def test_outputs_that_do_not_fit_are_one_line(shapes: dict[str, Shape]) -> None:
    with pytest.raises(
        ModelError, match=r"yolo_seg family: .*, anchors\].* for 3 labels, and pro.*"
    ) as raised:
        YoloSeg(spec(3), shapes)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "classes"), [("yolo-seg", 80), ("yolov5-seg", 80), ("end-to-end yolo-seg", 0)]
)
def test_its_own_outputs_are_known(name: str, classes: int) -> None:
    deduced = YoloSeg.deduce(facts(OTHERS[name]))
    assert deduced is not None
    assert (deduced.family, deduced.task, deduced.classes) == ("yolo_seg", "instance-segmentation", classes)
    assert (deduced.std, deduced.letterbox, deduced.colour) == ((255.0,) * 3, "centre", "RGB")


@pytest.mark.parametrize("name", [name for name in OTHERS if not name.endswith("-seg")])
def test_the_outputs_of_others_are_not_claimed(name: str) -> None:
    assert YoloSeg.deduce(facts(OTHERS[name])) is None


def test_rows_that_no_node_of_the_graph_picks_are_not_claimed() -> None:
    assert YoloSeg.deduce(facts(OTHERS["end-to-end yolo-seg"], operators={"Conv": 60})) is None


def test_an_output_too_narrow_for_the_prototypes_is_not_claimed() -> None:
    assert YoloSeg.deduce(facts({"a": (1, 36, CELLS), "b": (1, 32, LARGE[1] // 4, LARGE[0] // 4)})) is None
