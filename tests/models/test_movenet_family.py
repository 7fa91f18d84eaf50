"""MoveNet's keypoints become persons, as a plain reading of each pose finds them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from edge_engine.errors import ModelError
from edge_engine.models.facts import Shape
from edge_engine.models.families import load_family
from edge_engine.models.families.movenet import MoveNet
from edge_engine.models.keypoints import COCO_KEYPOINTS
from edge_engine.models.spec import InputSpec, ModelSpec
from edge_engine.result import Objects
from tests.models.exported import save
from tests.models.made import opened
from tests.models.shapes import OTHERS, facts
from tests.reference.movenet import Pose, decode_multi, decode_single

SIZE = (256, 192)
SINGLE, MULTI = (1, 1, 17, 3), (1, 6, 56)


def spec(**options: object) -> ModelSpec:
    picture = InputSpec(*SIZE, "NHWC", "uint8", "RGB", "centre", pad=0)
    return ModelSpec(
        "walker", "pose", "movenet", picture, ("person",), 0.3, 0.6, COCO_KEYPOINTS, options=options
    )


def decode(output: NDArray[np.float32], score: float, **options: object) -> Objects:
    decoder = load_family("movenet")(spec(**options), {"output_0": output.shape})
    found = decoder([output], score, 0.6)
    assert isinstance(found, Objects)
    return found


def assert_same(found: Objects, expected: list[Pose]) -> None:
    assert len(found) == len(expected)
    assert found.keypoints is not None
    assert found.keypoints.dtype == found.boxes_xyxy.dtype == found.scores.dtype == np.float32
    assert found.class_ids.tolist() == [0] * len(expected)
    for i, pose in enumerate(expected):
        np.testing.assert_allclose(found.scores[i], pose.score, rtol=1e-6)
        np.testing.assert_allclose(found.boxes_xyxy[i], pose.box, rtol=1e-6)
        np.testing.assert_allclose(found.keypoints[i], pose.points, rtol=1e-6)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("score", [0.0, 0.3, 0.55])
def test_one_person_is_where_the_reference_has_it(seed: int, score: float) -> None:
    output = np.random.default_rng(seed).random(SINGLE).astype(np.float32)
    output[..., 2] **= seed % 4 + 1
    assert_same(decode(output, score), decode_single(output, SIZE, 0.2, score))
    assert_same(decode(output, score, keypoint_threshold=0.6), decode_single(output, SIZE, 0.6, score))


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("score", [0.0, 0.3, 0.8])
def test_several_people_are_where_the_reference_has_them(seed: int, score: float) -> None:
    output = np.random.default_rng(seed).random(MULTI).astype(np.float32)
    output[0, ::2, 53:55] += output[0, ::2, 51:53]  # else half of the boxes are inside out
    assert_same(decode(output, score), decode_multi(output, SIZE, score))


def test_a_persons_box_encloses_the_points_that_are_seen() -> None:
    output = np.zeros(SINGLE, np.float32)
    output[0, 0, :3] = [(0.25, 0.5, 0.6), (0.5, 0.25, 0.8), (1.0, 1.0, 0.1)]
    found = decode(output, 0.3)
    np.testing.assert_allclose(found.boxes_xyxy, [[64, 48, 128, 96]])
    np.testing.assert_allclose(found.scores, [0.7])
    assert found.keypoints is not None
    np.testing.assert_allclose(found.keypoints[0, 0], [128, 48, 0.6])


@pytest.mark.parametrize("scores", [0, 0.19, 0.3])
def test_nobody_is_there_when_the_points_are_not_seen_or_score_too_low(scores: float) -> None:
    output = np.random.default_rng(1).random(SINGLE).astype(np.float32)
    output[..., 2] = scores
    assert len(decode(output, 0.31)) == 0
    assert len(decode(np.zeros(MULTI, np.float32), 0.0)) == 0


def test_a_single_point_is_no_person() -> None:
    output = np.random.default_rng(1).random(SINGLE).astype(np.float32)
    output[..., 2] = 0
    output[0, 0, 5, 2] = 1
    assert len(decode(output, 0.1)) == 0


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("shape", [SINGLE, MULTI])
def test_poses_that_are_not_numbers_are_none(value: float, shape: Shape) -> None:
    output = np.random.default_rng(2).random(shape).astype(np.float32)
    assert len(decode(np.full(shape, value, np.float32), 0.0)) == 0
    for column in range(shape[-1]):
        broken = output.copy()
        broken[..., column] = value
        assert len(decode(broken, 0.0)) == 0


@pytest.mark.parametrize("kind", [TensorProto.UINT8, TensorProto.INT32])
def test_a_model_file_finds_the_person_that_is_in_its_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: int
) -> None:
    """A graph whose pose doesn't depend on the picture; TensorFlow Hub's takes int32."""
    pose = np.random.default_rng(3).random(SINGLE).astype(np.float32)
    nodes = [
        helper.make_node("Cast", ["serving_default_input:0"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["pixels"], ["mean"], keepdims=1),
        helper.make_node("Mul", ["mean", "nothing"], ["none"]),
        helper.make_node("Add", ["none", "pose"], ["StatefulPartitionedCall:0"]),
    ]
    tensors = [numpy_helper.from_array(np.zeros((1, 1, 1, 1), np.float32), "nothing")]
    tensors.append(numpy_helper.from_array(pose, "pose"))
    width, height = SIZE
    picture = helper.make_tensor_value_info(nodes[0].input[0], kind, [1, height, width, 3])
    output = helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, SINGLE)
    graph = helper.make_graph(nodes, "movenet", [picture], [output], tensors)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    dtype = "uint8" if kind == TensorProto.UINT8 else "float32"
    said = replace(spec(), input=replace(spec().input, dtype=dtype))
    model = opened(save(made, tmp_path / "m.onnx", said), monkeypatch)
    tensor, outputs = model.new_input(), model.new_outputs()
    model.run(model.bind(tensor, outputs))
    found = model.decoder(outputs, 0.3, 0.6)
    assert isinstance(found, Objects)
    assert_same(found, decode_single(pose, SIZE, 0.2, 0.3))


@pytest.mark.parametrize(
    "shapes",
    [{"a": (1, 1, 16, 3)}, {"a": (1, 6, 55)}, {"a": (2, 6, 56)}, {"a": SINGLE, "b": SINGLE}, {}],
)
def test_outputs_that_do_not_fit_are_one_line(shapes: dict[str, Shape]) -> None:
    with pytest.raises(ModelError, match=r"expected one output \[1, 1, 17, 3\] or .*; outputs are") as raised:
        MoveNet(spec(), shapes)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("threshold", ["0.2", 2, -0.1, None])
def test_a_keypoint_threshold_that_is_none_is_one_line(threshold: object) -> None:
    with pytest.raises(ModelError, match="keypoint_threshold"):
        MoveNet(spec(keypoint_threshold=threshold), {"a": SINGLE})


@pytest.mark.parametrize("shape", [SINGLE, MULTI])
def test_its_own_outputs_are_known(shape: Shape) -> None:
    deduced = MoveNet.deduce(facts({"output_0": shape}, SIZE))
    assert deduced is not None
    assert (deduced.family, deduced.task, deduced.colour, deduced.letterbox, deduced.pad) == (
        "movenet",
        "pose",
        "RGB",
        "centre",
        0,
    )
    assert deduced.keypoint_names == COCO_KEYPOINTS
    assert (deduced.classes, deduced.labels) == (1, ("person",))


@pytest.mark.parametrize("name", [name for name in OTHERS if not name.startswith("movenet")])
def test_the_outputs_of_others_are_not_claimed(name: str) -> None:
    assert MoveNet.deduce(facts(OTHERS[name])) is None
