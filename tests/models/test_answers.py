"""Answers: what makes no sense is an error of its frame, never a result."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from edge_engine.config import Config, StreamConfig
from edge_engine.engine import Engine
from edge_engine.letterbox import Letterbox
from edge_engine.models.answers import InferenceError, answer_of, check_numbers
from edge_engine.result import Answer, Objects, Segmentation, Tags
from tests.models.exported import SIZE, exported

BOX = Letterbox.fit((640, 480), (64, 64), "centre")
LABELS = ("a", "b")


def decoded(answer: Answer) -> Answer:
    def decoder(outputs: Sequence[NDArray[Any]], score: float, iou: float) -> Answer:
        return answer

    return answer_of(decoder, [], (0.1, 0.5), BOX, LABELS)


def objects(class_id: int = 0, score: float = 0.5, right: float = 8, point: float | None = None) -> Objects:
    keypoints = None if point is None else np.full((1, 2, 3), point, np.float32)
    boxes = np.array([[0, 0, right, 8]], np.float32)
    return Objects(boxes, np.array([score], np.float32), np.array([class_id], np.int32), keypoints)


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (objects(class_id=2), "class 2; it has 2 labels"),
        (objects(class_id=-1), "class -1; it has 2 labels"),
        (objects(score=np.inf), "scores that aren't finite"),
        (objects(right=np.nan), "places that aren't finite"),
        (objects(point=np.inf), "places that aren't finite"),
        (Tags(np.array([7], np.int32), np.ones(1, np.float32)), "class 7; it has 2 labels"),
        (Tags(np.array([0], np.int32), np.full(1, np.nan, np.float32)), "scores that aren't finite"),
        (Segmentation(np.full((64, 64), 9, np.uint8)), "class 9; it has 2 labels"),
    ],
)
def test_an_answer_that_makes_no_sense_is_told(answer: Answer, line: str) -> None:
    with pytest.raises(InferenceError, match=line):
        decoded(answer)


def test_answers_that_do_are_in_source_pixels() -> None:
    found = decoded(objects(right=64, point=8.0))
    assert isinstance(found, Objects)
    assert found.boxes_xyxy[0, 2] == 640
    assert isinstance(decoded(Objects.none()), Objects)
    assert isinstance(decoded(Segmentation(np.ones((64, 64), np.uint8))), Segmentation)


def test_outputs_of_another_shape_than_the_decoder_expects_are_told() -> None:
    def decoder(outputs: Sequence[NDArray[Any]], score: float, iou: float) -> Answer:
        return objects(right=outputs[0][5, 5])

    with pytest.raises(InferenceError, match="can't be decoded: too many indices"):
        answer_of(decoder, [np.zeros(3)], (0.1, 0.5), BOX, LABELS)


@given(arrays.arrays(np.float32, (2, 5), elements=st.floats(width=32)))
def test_outputs_pass_unless_something_in_them_is_no_number(values: NDArray[np.float32]) -> None:
    """Minus infinity is one, as that of a masked class, but not alone."""
    is_right = not (np.isnan(values).any() or np.isposinf(values).any() or np.isneginf(values).all())
    expected = nullcontext() if is_right else pytest.raises(InferenceError, match="of the 10 numbers in its")
    with expected:
        check_numbers(["x"], [values])


def test_whole_numbers_and_empty_outputs_pass() -> None:
    check_numbers(["x", "y"], [np.ones(3, np.int64), np.empty((0, 4), np.float32)])


def test_pictures_that_make_it_give_nan_are_counted_as_errors(tmp_path: Path) -> None:
    """It divides by how much the picture varies: of one that is all grey it can say nothing."""
    path = exported(tmp_path / "x.onnx", std=(1.0, 1.0, 1.0))
    model = onnx.load(path)
    graph = model.graph
    reshape = next(node for node in graph.node if node.op_type == "Reshape")
    reshape.input[0] = "scaled"
    at = list(graph.node).index(reshape)
    graph.initializer.append(numpy_helper.from_array(np.float32(0), "nothing"))
    for node in (
        helper.make_node("Div", ["gained", "gained"], ["one_or_nan"]),
        helper.make_node("Mul", ["same", "one_or_nan"], ["scaled"]),
    )[::-1]:
        graph.node.insert(at, node)
    for node in (
        helper.make_node("ReduceMax", ["images"], ["most"], keepdims=0),
        helper.make_node("ReduceMin", ["images"], ["least"], keepdims=0),
        helper.make_node("Sub", ["most", "least"], ["gained"]),
    )[::-1]:
        graph.node.insert(0, node)
    onnx.save(model, path)
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    rng = np.random.default_rng(1)
    for i in range(9):
        picture = rng.integers(0, 256, (SIZE, SIZE, 3), np.uint8)
        cv2.imwrite(str(pictures / f"{i}.png"), np.full_like(picture, 90) if i % 3 == 0 else picture)
    stream = StreamConfig(source=str(pictures), pace=False, max_age_ms=600_000)
    with Engine(Config(streams={"main": stream}, model=str(path), policy="lossless")) as engine:
        seen = [result.seq for result in engine.results()]
        engine.wait()
    assert seen == [1, 2, 4, 5, 7, 8]
    ledger = engine.streams["main"].ledger
    assert ledger.counts().dropped == {"error": 3}
    assert "aren't finite" in ledger.reasons()["error"]
