"""YOLO's boxes keep their keypoints through suppression, as the plain numpy twins find them.

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
from edge_engine.models.families.yolo_pose import YoloPose
from edge_engine.models.keypoints import COCO_KEYPOINTS
from edge_engine.models.model import Model
from edge_engine.models.spec import InputSpec, ModelSpec
from edge_engine.result import Objects
from tests.models.shapes import OTHERS, facts
from tests.models.yolo_heads import FORMS, HEIGHT, WIDTH, graph, made_head
from tests.reference.yolo_head import decode_head


def spec(classes: int, points: int = 5, names: tuple[str, ...] = (), **options: object) -> ModelSpec:
    picture = InputSpec(WIDTH, HEIGHT, "NHWC", "uint8", "RGB", "centre")
    labels = tuple(f"label {i}" for i in range(classes))
    options = {"keypoint_shape": [points, 3]} | options
    return ModelSpec("tiny", "pose", "yolo_pose", picture, labels, 0.25, 0.7, names, options=options)


def decode(output: NDArray[np.floating], made: ModelSpec, score: float, iou: float) -> Objects:
    found = load_family("yolo_pose")(made, {"output0": output.shape})([output], score, iou)
    assert isinstance(found, Objects)
    return found


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("classes", [1, 4])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("score", "iou"), [(0.25, 0.7), (0.0, 0.3), (0.8, 0.5)])
def test_finds_what_the_references_find(form: str, classes: int, seed: int, score: float, iou: float) -> None:
    output = made_head(form, classes, 15, seed)
    found = decode(output, spec(classes), score, iou)
    expected = decode_head(form, output, classes, score, iou)
    assert len(expected.scores) > 3
    np.testing.assert_array_equal(found.boxes_xyxy, expected.boxes_xyxy)
    np.testing.assert_array_equal(found.scores, expected.scores)
    np.testing.assert_array_equal(found.class_ids, expected.class_ids)
    assert found.keypoints is not None
    for points, row in zip(found.keypoints, expected.extras, strict=True):
        assert points.tolist() == [row[3 * k : 3 * k + 3].tolist() for k in range(5)]


@pytest.mark.parametrize("form", FORMS)
def test_points_of_two_numbers_are_all_seen(form: str) -> None:
    output = made_head(form, 2, 8, 1)
    found = decode(output, spec(2, keypoint_shape=[4, 2]), 0.3, 0.7)
    expected = decode_head(form, output, 2, 0.3, 0.7)
    assert found.keypoints is not None
    np.testing.assert_array_equal(found.keypoints[..., :2].reshape(-1, 8), expected.extras)
    assert (found.keypoints[..., 2] == 1).all()


def test_names_alone_say_how_many_points_there_are() -> None:
    named = spec(1, names=("head", "tail"), keypoint_shape=[2, 3])
    picture = ModelSpec("tiny", "pose", "yolo_pose", named.input, named.labels, 0.25, 0.7, ("head", "tail"))
    found = decode(made_head("columns", 1, 6, 1), picture, 0.3, 0.7)
    assert found.keypoints is not None
    assert found.keypoints.shape[1:] == (2, 3)


@pytest.mark.parametrize("form", FORMS)
def test_nothing_above_the_threshold_gives_no_keypoints(form: str) -> None:
    found = decode(made_head(form, 3, 15, 1), spec(3), 1.5, 0.7)
    assert found.keypoints is not None
    assert found.keypoints.shape == (0, 5, 3)


@pytest.mark.parametrize("form", FORMS)
def test_half_precision_is_read_as_well(form: str) -> None:
    half = made_head(form, 3, 15, 1).astype(np.float16)
    found, expected = decode(half, spec(3), 0.2, 0.7), decode(half.astype(np.float32), spec(3), 0.2, 0.7)
    assert len(found) > 3
    np.testing.assert_array_equal(found.boxes_xyxy, expected.boxes_xyxy)
    np.testing.assert_array_equal(found.scores, expected.scores)
    assert found.keypoints is not None
    np.testing.assert_array_equal(found.keypoints, expected.keypoints)


def test_an_end_to_end_output_may_have_no_rows() -> None:
    output = np.empty((1, 0, 6 + 15), np.float32)
    assert len(decode(output, spec(3), 0.2, 0.7)) == 0


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_make_no_objects(form: str, value: float) -> None:
    output = made_head(form, 3, 15, 1)
    assert len(decode(np.full_like(output, value), spec(3), 0.0, 0.7)) == 0
    quantities = output.shape[1 if form == "columns" else 2]
    for i in [0, 3, quantities - 1]:
        broken = output.copy()
        broken[(0, i) if form == "columns" else (0, slice(None), i)] = value
        assert len(decode(broken, spec(3), 0.2, 0.7)) == 0


def exported(path: Path, **metadata: str) -> Path:
    """With three keypoints."""
    return graph(path, 1, 9, {"task": "pose", "names": "{0: 'cow'}"} | metadata, has_prototypes=False)


def test_a_model_as_ultralytics_exports_it_finds_keypoints(tmp_path: Path) -> None:
    names = "{0: ['head', 'back', 'tail']}"
    path = exported(tmp_path / "pose.onnx", kpt_shape="[3, 3]", kpt_names=names)
    picture = np.random.default_rng(4).integers(0, 256, (1, HEIGHT, WIDTH, 3), np.uint8)
    session = onnxruntime.InferenceSession(path)
    (output,) = session.run(None, {"images": np.float32(picture.transpose(0, 3, 1, 2) / 255)})
    model = Model(path)
    tensor, outputs = model.new_input(), model.new_outputs()
    tensor[:] = picture
    model.run(model.bind(tensor, outputs))
    assert (model.spec.task, model.spec.family) == ("pose", "yolo_pose")
    assert model.spec.keypoint_names == ("head", "back", "tail")
    found = model.decoder(outputs, 0.5, 0.7)
    expected = decode_head("columns", output, 1, 0.5, 0.7)
    assert isinstance(found, Objects)
    assert len(found) > 3
    np.testing.assert_allclose(found.boxes_xyxy, expected.boxes_xyxy, atol=1e-3)
    assert found.keypoints is not None
    np.testing.assert_allclose(found.keypoints.reshape(-1, 9), expected.extras, atol=1e-3)


@pytest.mark.parametrize(
    "metadata", [{}, {"kpt_shape": "[3]"}, {"kpt_shape": "3"}, {"kpt_shape": "['a', 3]"}]
)
def test_metadata_without_a_keypoint_shape_is_one_line(metadata: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="kpt_shape") as raised:
        Model(exported(tmp_path / "pose.onnx", **metadata))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("points", "names", "expected"),
    [
        (17, None, COCO_KEYPOINTS),
        (3, None, ()),
        (3, "{0: ['a', 'b', 'c'], 1: ['d', 'e', 'f']}", ("a", "b", "c")),
        (3, "['a', 'b', 'c']", ("a", "b", "c")),
        (3, "{0: ['a']}", ()),
    ],
)
def test_keypoints_are_named_by_the_metadata_or_as_coco_does(
    points: int, names: str | None, expected: tuple[str, ...], tmp_path: Path
) -> None:
    metadata = {"task": "pose", "names": "{0: 'cow'}", "kpt_shape": f"[{points}, 3]"}
    metadata |= {} if names is None else {"kpt_names": names}
    model = Model(graph(tmp_path / "pose.onnx", 1, 3 * points, metadata, has_prototypes=False))
    assert model.spec.keypoint_names == expected


@pytest.mark.parametrize(
    "shapes", [{"a": (1, 23, 126)}, {"a": (2, 22, 126)}, {"a": (1, 22, 126), "b": (1, 22, 126)}, {}]
)
def test_outputs_that_do_not_fit_are_one_line(shapes: dict[str, Shape]) -> None:
    with pytest.raises(
        ModelError, match=r"\[1, 22, anchors\].* 3 labels, 5 keypoints of 3 numbers"
    ) as raised:
        YoloPose(spec(3), shapes)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("shape", [[5], [5, 4], [0, 3], "53", None, [5, "3"]])
def test_a_keypoint_shape_that_is_none_is_one_line(shape: object) -> None:
    with pytest.raises(ModelError, match="option keypoint_shape"):
        YoloPose(spec(3, keypoint_shape=shape), {"a": (1, 22, 126)})


def test_names_that_are_too_few_are_one_line() -> None:
    with pytest.raises(ModelError, match="2 keypoint names for 5 keypoints"):
        YoloPose(spec(3, names=("a", "b")), {"a": (1, 22, 126)})


@pytest.mark.parametrize("name", ["yolo-pose", "end-to-end pose"])
def test_its_own_outputs_are_known(name: str) -> None:
    deduced = YoloPose.deduce(facts(OTHERS[name]))
    assert deduced is not None
    assert (deduced.family, deduced.task, deduced.classes) == ("yolo_pose", "pose", 1)
    assert (deduced.labels, deduced.keypoint_names) == (("person",), COCO_KEYPOINTS)
    assert deduced.options == {"keypoint_shape": [17, 3]}


@pytest.mark.parametrize("name", [name for name in OTHERS if name not in ("yolo-pose", "end-to-end pose")])
def test_the_outputs_of_others_are_not_claimed(name: str) -> None:
    assert YoloPose.deduce(facts(OTHERS[name])) is None


@pytest.mark.parametrize("operators", [{"Conv": 60, "Split": 8, "Slice": 2}, {"Conv": 60, "Slice": 40}])
def test_a_detector_of_52_classes_is_not_claimed(operators: dict[str, int]) -> None:
    assert YoloPose.deduce(facts(OTHERS["yolo-pose"], operators=operators)) is None


def test_rows_that_no_node_of_the_graph_picks_are_not_claimed() -> None:
    assert YoloPose.deduce(facts(OTHERS["end-to-end pose"], operators={"Conv": 60, "Slice": 7})) is None
