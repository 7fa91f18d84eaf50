"""Segmenter: the class of each cell that the plain reference finds. Weights are random."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from edge_engine.errors import ModelError
from edge_engine.models.families import FAMILIES, load_family
from edge_engine.models.families.segmenter import Segmenter
from edge_engine.models.model import Model
from edge_engine.models.spec import Fit, InputSpec, ModelSpec
from edge_engine.models.ultralytics import spec_of_ultralytics
from edge_engine.result import Segmentation
from tests.models.whole_picture import (
    OTHERS,
    SIDE,
    answer_of,
    facts,
    not_looked_at,
    whole_picture_model,
)
from tests.reference.argmax import argmax_reference

values = st.floats(-30, 30, width=32) | st.sampled_from([np.nan, np.inf, -np.inf])
grids = st.tuples(st.integers(4, 9), st.integers(4, 9))


def spec(labels: int, letterbox: Fit = "stretch", **options: Any) -> ModelSpec:  # noqa: ANN401
    picture = InputSpec(SIDE, SIDE, "NHWC", "uint8", "RGB", letterbox)
    names = tuple(f"label {i}" for i in range(labels))
    return ModelSpec("m", "segmentation", "segmenter", picture, names, 0.5, 0.5, options=options)


def segmented(of: ModelSpec, output: NDArray[Any], threshold: float = 0.5) -> NDArray[Any]:
    decoder = load_family("segmenter")(of, {"features": (1, 5, 2, 2, 2), "map": output.shape})
    found = decoder([np.zeros((1, 5, 2, 2, 2), np.float32), output], threshold, 0.5)
    assert isinstance(found, Segmentation)
    return found.class_ids


@settings(deadline=None)
@given(
    scores=st.tuples(st.just(1), st.sampled_from([2, 3, 21]), st.integers(4, 9), st.integers(4, 9)).flatmap(
        lambda shape: arrays(np.float32, shape, elements=values)
    ),
    layout=st.sampled_from(["planes", "pixels"]),
)
def test_the_best_class_of_each_cell_is_the_references(scores: NDArray[np.float32], layout: str) -> None:
    classes = scores.shape[1]
    output = scores if layout == "planes" else np.ascontiguousarray(scores.transpose(0, 2, 3, 1))
    found = segmented(spec(classes, layout=layout), output)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, argmax_reference(scores[0], 0))


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.uint8, np.int8])
@pytest.mark.parametrize("axis", [1, 3])
def test_scores_of_every_dtype_are_read_again_and_again(dtype: type, axis: int) -> None:
    rng = np.random.default_rng(1)
    decoder = Segmenter(spec(7), {"map": (1, 7, 9, 11) if axis == 1 else (1, 9, 11, 7)})
    for _ in range(2):
        scores = rng.integers(-100, 100, (7, 9, 11)).astype(dtype)
        output = np.ascontiguousarray(np.moveaxis(scores, 0, axis - 1))[None]
        np.testing.assert_array_equal(decoder([output], 0.5, 0.5).class_ids, scores.argmax(axis=0))


def test_each_answer_is_an_array_of_its_own() -> None:
    decoder = Segmenter(spec(2), {"map": (1, 2, 3, 4)})
    output = np.zeros((1, 2, 3, 4), np.float32)
    first = decoder([output], 0.5, 0.5).class_ids
    output[0, 1] = 1
    assert decoder([output], 0.5, 0.5).class_ids.all()
    assert not first.any()


@settings(deadline=None)
@given(
    numbers=grids.flatmap(lambda grid: arrays(np.int64, grid, elements=st.integers(0, 299))),
    dtype=st.sampled_from([np.int32, np.int64, np.uint16]),
    shape=st.sampled_from([(1, -1), (1, 1, -1), (-1, 1)]),
)
def test_a_map_of_class_numbers_is_taken_as_it_is(
    numbers: NDArray[np.int64], dtype: type, shape: tuple[int, ...]
) -> None:
    rows, columns = numbers.shape
    where = {2: (1, rows, columns), 3: (1, 1, rows, columns)}[len(shape)]
    if shape == (-1, 1):
        where = (1, rows, columns, 1)
    found = segmented(spec(300), numbers.reshape(where).astype(dtype))
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found, numbers)


@pytest.mark.parametrize("number", [5, 255, -1])
def test_a_map_with_a_class_that_has_no_label_is_one_line(number: int) -> None:
    with pytest.raises(ModelError, match=f"gives class {number}, but has 5 labels; name all"):
        segmented(spec(5), np.array([[[0, number], [1, 2]]], np.int64))


@settings(deadline=None)
@given(
    mask=grids.flatmap(lambda grid: arrays(np.float32, grid, elements=values)),
    activation=st.sampled_from(["none", "sigmoid"]),
    threshold=st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]),
    is_last=st.booleans(),
)
def test_a_mask_is_inside_where_it_reaches_the_threshold(
    mask: NDArray[np.float32], activation: str, threshold: float, is_last: bool
) -> None:
    output = mask[None, ..., None] if is_last else mask[None, None]
    found = segmented(spec(2, activation=activation), output, threshold)
    logits = {0.0: -math.inf, 0.25: -math.log(3), 0.5: 0.0, 0.75: math.log(3), 1.0: math.inf}
    limit = logits[threshold] if activation == "sigmoid" else threshold
    expected = [[int(value >= np.float32(limit)) for value in row] for row in mask]
    assert found.dtype == np.uint8
    assert found.tolist() == expected


def test_a_quantized_mask_is_held_against_the_threshold_on_its_own_scale() -> None:
    output = np.array([[[0, 127, 128, 255]]], np.uint8)
    of = spec(2, activation="none", scale=1 / 256, zero_point=0)
    assert segmented(of, output).tolist() == [[0, 0, 1, 1]]
    logits = spec(2, activation="sigmoid", scale=0.1, zero_point=128)
    assert segmented(logits, output).tolist() == [[0, 0, 1, 1]]


@pytest.mark.parametrize(
    ("of", "shape", "line"),
    [
        (spec(5), (1, 4, 9, 9), r"expected one output \[1, 5, rows, columns\]"),
        (spec(5), (2, 5, 9, 9), "doesn't fit the segmenter family"),
        (spec(5), (1, 5), "doesn't fit the segmenter family"),
        (spec(9), (1, 9, 4, 9), "may be planes or pixels; option layout must say it"),
        (spec(5, "crop"), (1, 5, 9, 9), "covers the whole picture; letterbox can't be crop"),
    ],
)
def test_what_does_not_fit_is_one_line(of: ModelSpec, shape: tuple[int, ...], line: str) -> None:
    with pytest.raises(ModelError, match=line) as told:
        Segmenter(of, {"map": shape})
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("of", "line"),
    [(spec(3, activation="none"), "takes two labels, outside and inside; it has 3"), (spec(2), "activation")],
)
def test_a_mask_that_the_spec_does_not_explain_is_one_line(of: ModelSpec, line: str) -> None:
    with pytest.raises(ModelError, match=line):
        segmented(of, np.zeros((1, 1, 4, 5), np.float32))


def test_where_the_shape_allows_both_the_layout_is_what_is_said() -> None:
    scores = np.random.default_rng(1).normal(size=(1, 9, 4, 9)).astype(np.float32)
    np.testing.assert_array_equal(segmented(spec(9, layout="planes"), scores), scores[0].argmax(axis=0))
    np.testing.assert_array_equal(segmented(spec(9, layout="pixels"), scores), scores[0].argmax(axis=-1))


@pytest.mark.parametrize("name", OTHERS)
def test_graphs_of_other_kinds_are_not_claimed(name: str) -> None:
    assert Segmenter.deduce(OTHERS[name]) is None


@pytest.mark.parametrize(
    ("shape", "dtype", "ends_in", "classes"),
    [
        ((1, 19, 72, 96), "float32", "Resize", 19),
        ((1, 72, 96, 21), "float32", "Resize", 21),
        ((1, 2, 72, 96), "float32", "Softmax", 2),
        ((1, 72, 96), "int64", "ArgMax", 0),
        ((1, 1, 72, 96), "uint8", "ArgMax", 0),
        ((1, 72, 96, 1), "float32", "Sigmoid", 2),
        ((1, 1, 72, 96), "float32", "Conv", None),
        ((1, 19, 36, 48), "float32", "Conv", None),
        ((1, 36, 48), "int64", "ArgMax", None),
    ],
)
def test_what_lies_on_the_inputs_grid_is_claimed_by_it_alone(
    shape: tuple[int, ...], dtype: str, ends_in: str, classes: int | None
) -> None:
    graph = facts({"out": shape}, (96, 72), output_dtypes={"out": dtype}, ends_in={"out": ends_in})
    claims = {name for name in FAMILIES if load_family(name).deduce(graph) is not None}
    assert claims == (set() if classes is None else {"segmenter"})
    found = Segmenter.deduce(graph)
    assert (found.classes if found else None) == classes


def test_a_person_may_say_that_a_coarse_grid_is_one() -> None:
    found = Segmenter.deduce(facts({"out": (1, 19, 128, 256)}, (1024, 512), is_named=True))
    assert found is not None
    assert found.classes == 19


@pytest.mark.parametrize(("name", "layout"), [("planes", 1), ("pixels", 3)])
def test_a_model_without_metadata_is_read_and_run(name: str, layout: int, tmp_path: Path) -> None:
    path = whole_picture_model(tmp_path / "x.onnx", name, 5)
    model = Model(path)
    assert (model.spec.family, model.spec.task, len(model.spec.labels)) == ("segmenter", "segmentation", 5)
    image = np.random.default_rng(3).integers(0, 256, (40, 60, 3), np.uint8)
    found, tensor = answer_of(model, image)
    mean, std = np.float32([123.675, 116.28, 103.53]), np.float32([58.395, 57.12, 57.375])
    normalised = ((tensor.astype(np.float32) - mean) / std).transpose(0, 3, 1, 2)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (scores,) = session.run(None, {"images": np.ascontiguousarray(normalised)})
    assert isinstance(found, Segmentation)
    expected = argmax_reference(scores[0], layout - 1)
    assert (found.class_ids == expected).mean() > 0.999  # folded, the sums differ in their last bits


def test_a_map_needs_labels_as_its_graph_shows_no_number(tmp_path: Path) -> None:
    path = whole_picture_model(tmp_path / "x.onnx", "map", 5)
    with pytest.raises(ModelError, match=r"doesn't show how many classes .* into .*x\.yaml"):
        Model(path)
    (tmp_path / "x.yaml").write_text("labels: [a, b, c, d, e]\n")
    found, _ = answer_of(Model(path), np.full((40, 60, 3), 90, np.uint8))
    assert isinstance(found, Segmentation)
    assert found.class_ids.shape == (SIDE, SIDE)


def test_a_mask_in_a_letterbox_covers_the_picture_alone(tmp_path: Path) -> None:
    path = whole_picture_model(tmp_path / "x.onnx", "mask", 1)
    (tmp_path / "x.yaml").write_text("labels: [background, person]\ninput: {letterbox: centre}\n")
    found, _ = answer_of(Model(path), np.random.default_rng(1).integers(0, 256, (20, 40, 3), np.uint8))
    assert isinstance(found, Segmentation)
    assert found.class_ids.shape == (SIDE // 2, SIDE)
    assert set(np.unique(found.class_ids)) == {0, 1}


def test_ultralytics_semantic_models_are_read_and_run(tmp_path: Path) -> None:
    names = "{0: 'a', 1: 'b', 2: 'c', 3: 'd', 4: 'e'}"
    metadata = {"names": names, "imgsz": f"[{SIDE}, {SIDE}]", "task": "semantic"}
    model = Model(whole_picture_model(tmp_path / "x.onnx", "map", 5, metadata))
    assert (model.spec.labels, model.spec.input.letterbox) == (tuple("abcde"), "centre")
    found, _ = answer_of(model, np.random.default_rng(1).integers(0, 256, (20, 40, 3), np.uint8))
    assert isinstance(found, Segmentation)
    assert found.class_ids.shape == (SIDE // 2, SIDE)
    single = spec_of_ultralytics(Path("x.onnx"), metadata | {"names": "{0: 'road'}"}, "NCHW", not_looked_at)
    assert single.labels == ("background", "road")
