"""Rows of a graph that suppresses what overlaps become objects; graphs have random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from edge_engine.errors import ModelError
from edge_engine.models.families.end_to_end import EndToEnd
from edge_engine.models.model import Model
from edge_engine.models.spec import InputSpec, ModelSpec
from edge_engine.result import Objects
from tests.models import heads
from tests.reference.end_to_end import decode_end_to_end_reference

SPEC = ModelSpec(
    "tiny",
    "detection",
    "end_to_end",
    InputSpec(160, 160, "NHWC", "uint8", "RGB", "centre"),
    ("a", "b", "c", "d"),
    0.25,
    0.7,
)
NAMES = {"names": "{0: 'a', 1: 'b', 2: 'c', 3: 'd'}", "imgsz": "[64, 64]", "task": "detect", "stride": "32"}


def decode(rows: NDArray[np.float32], score: float) -> Objects:
    return EndToEnd(SPEC, {"output0": (1, *rows.shape)})([rows[None]], score, 0.7)


def assert_as_the_reference(found: Objects, rows: NDArray[np.float32], score: float) -> None:
    boxes, scores, class_ids = decode_end_to_end_reference(rows, 4, score)
    np.testing.assert_array_equal(found.boxes_xyxy, boxes)
    np.testing.assert_array_equal(found.scores, scores)
    np.testing.assert_array_equal(found.class_ids, class_ids)


def random_rows(count: int, seed: int) -> NDArray[np.float32]:
    """In no order, some scores equal, some boxes without an area, some classes without a label."""
    rng = np.random.default_rng(seed)
    boxes = rng.integers(0, 160, (count, 4))
    return np.column_stack([boxes, rng.integers(0, 50, count) / 50, rng.integers(0, 5, count)]).astype(
        np.float32
    )


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("score", [0.25, 0.0, 0.9, 1.1])
def test_finds_what_the_reference_finds(seed: int, score: float) -> None:
    rows = random_rows(700, seed)
    assert_as_the_reference(decode(rows, score), rows, score)


@settings(deadline=None)
@given(arrays(np.float32, st.tuples(st.integers(0, 9), st.just(6)), elements=st.floats(width=32)))
def test_any_numbers_are_as_the_reference_has_them(rows: NDArray[np.float32]) -> None:
    assert_as_the_reference(decode(rows, 0.25), rows, 0.25)


def test_frames_may_have_another_number_of_rows() -> None:
    decoder = EndToEnd(SPEC, {"output0": (1, 0, 6)})
    for count in (0, 5, 100, 0):
        rows = random_rows(count, count)
        assert_as_the_reference(decoder([rows[None]], 0.25, 0.7), rows, 0.25)


def test_rows_of_seven_begin_with_the_picture_and_end_with_the_score() -> None:
    decoder = EndToEnd(SPEC, {"output": (0, 7)})
    for count in (0, 5, 100):
        rows = random_rows(count, count)
        of_seven = np.column_stack([np.zeros(count), rows[:, :4], rows[:, 5], rows[:, 4]]).astype(np.float32)
        assert_as_the_reference(decoder([of_seven], 0.25, 0.7), rows, 0.25)


def test_rows_that_pad_the_output_are_no_objects_whatever_the_threshold() -> None:
    assert len(decode(np.zeros((300, 6), np.float32), 0.0)) == 0


@pytest.mark.parametrize(
    "said",
    [
        {"end2end": "True"},
        {"end2end": "False", "args": "{'batch': 1, 'nms': True}"},
        {"args": "{'batch': 1}"},  # before 8.4 only the output's shape shows it
        {},
    ],
)
def test_ultralytics_end_to_end_exports_are_known(tmp_path: Path, said: dict[str, str]) -> None:
    model = Model(heads.end_to_end(tmp_path / "mine.onnx", NAMES | said))
    assert (model.spec.family, model.spec.labels) == ("end_to_end", ("a", "b", "c", "d"))
    (output,) = heads.run(model)
    found = model.decoder([output], 0.25, 0.7)
    assert isinstance(found, Objects)
    assert len(found) > 3
    assert_as_the_reference(found, output[0], 0.25)


def test_ultralytics_exports_for_suppression_by_the_engine_stay_so(tmp_path: Path) -> None:
    said = {"end2end": "False", "args": "{'nms': None}"}
    with pytest.raises(ModelError, match="yolov8 family"):
        Model(heads.end_to_end(tmp_path / "mine.onnx", NAMES | said))


def test_a_graph_without_metadata_is_known_but_its_labels_are_asked_for(tmp_path: Path) -> None:
    path = heads.end_to_end(tmp_path / "mine.onnx")
    with pytest.raises(ModelError, match=r"doesn't show how many classes .*write `labels: .*mine\.yaml"):
        Model(path)
    (tmp_path / "mine.yaml").write_text("labels: [a, b, c, d]\n")
    spec = Model(path).spec
    assert (spec.family, spec.input.colour, spec.input.letterbox) == ("end_to_end", "RGB", "centre")


def test_yolov7_exports_give_another_number_of_rows_for_each_picture(tmp_path: Path) -> None:
    path = heads.yolov7_end_to_end(tmp_path / "mine.onnx")
    (tmp_path / "mine.yaml").write_text("labels: [a, b, c, d]\n")
    model = Model(path)
    assert model.spec.family == "end_to_end"
    counts = set()
    for seed in range(4):
        (output,) = heads.run(model, seed)
        found = model.decoder([output], 0.25, 0.7)
        assert isinstance(found, Objects)
        assert_as_the_reference(found, output[:, [1, 2, 3, 4, 6, 5]], 0.25)
        counts.add(len(output))
    assert len(counts) > 1


@pytest.mark.parametrize(
    "shapes",
    [
        {"a": (1, 300, 7)},
        {"a": (300, 6)},
        {"a": (300, 7), "b": (1, 9, 6)},
        {"a": (1, 9, 6), "b": (1, 9, 6)},
        {"a": (2, 9, 6)},
        {},
    ],
)
def test_outputs_that_do_not_fit_are_one_line(shapes: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match=r"expected one output \[1, rows, 6\] or \[rows, 7\]; outputs are"):
        EndToEnd(SPEC, shapes)
