"""DETR's and its successors' outputs become the objects that a plain reference finds. Weights are random."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from numpy.typing import NDArray

from edge_engine.errors import ModelError
from edge_engine.models.facts import Shape
from edge_engine.models.families.detr import Detr
from edge_engine.models.model import Model
from edge_engine.models.spec import ModelSpec
from edge_engine.result import Objects
from tests.models.attending import CLASSES, HEIGHT, QUERIES, SPEC, WIDTH, attending
from tests.reference.detr import Found, rows_reference, sigmoid_reference, softmax_reference

ODD = np.array([np.nan, np.inf, -np.inf, 1e38, -1e38, 0, 7], np.float32)


def random_boxes(seed: int) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.random((QUERIES, 2)), rng.random((QUERIES, 2)) / 2], axis=1).astype(np.float32)


def random_logits(seed: int, columns: int) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(-1, 3, (QUERIES, columns)).astype(np.float32)


def with_odd_values(array: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return np.where(rng.random(array.shape) < 0.1, rng.choice(ODD, array.shape), array)


def decode(outputs: dict[str, NDArray[Any]], threshold: float, spec: ModelSpec = SPEC) -> Objects:
    family = Detr(spec, {name: output[None].shape for name, output in outputs.items()})
    return family([output[None] for output in outputs.values()], threshold, 0.6)


def assert_found(objects: Objects, expected: list[Found]) -> None:
    """The same, highest score first; scores that differ by rounding alone may change places."""
    assert len(objects) == len(expected)
    assert (objects.boxes_xyxy.dtype, objects.scores.dtype, objects.class_ids.dtype) == ("f4", "f4", "i4")
    assert (np.diff(objects.scores) <= 0).all()
    scores = np.array([score for score, _, _ in expected])
    class_ids = np.array([class_id for _, class_id, _ in expected], int)
    boxes = np.array([box for _, _, box in expected]).reshape(-1, 4)
    distances = np.abs(objects.boxes_xyxy[:, None] - boxes).max(axis=2)
    distances[objects.class_ids[:, None] != class_ids] = np.inf
    order = distances.argmin(axis=1) if len(expected) else np.empty(0, int)
    assert sorted(order) == list(range(len(expected)))
    np.testing.assert_allclose(objects.scores, scores[order], rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(objects.class_ids, class_ids[order])
    np.testing.assert_allclose(objects.boxes_xyxy, boxes[order], rtol=1e-4, atol=1e-2)


thresholds, seeds = st.sampled_from([0.05, 0.3, 0.5, 0.9, 1.1]), st.integers(0, 2**32 - 1)


@settings(deadline=None)
@given(thresholds, seeds, st.booleans())
def test_a_sigmoid_gives_every_class_of_a_query(threshold: float, seed: int, has_more: bool) -> None:
    logits, boxes = random_logits(seed, CLASSES + has_more), random_boxes(seed)
    spec = replace(SPEC, options={"activation": "sigmoid"})
    found = decode({"logits": logits, "pred_boxes": boxes}, threshold, spec)
    assert_found(found, sigmoid_reference(logits, boxes, (WIDTH, HEIGHT), CLASSES, threshold))


@settings(deadline=None)
@given(thresholds, seeds)
def test_a_softmax_gives_a_query_its_best_class(threshold: float, seed: int) -> None:
    logits, boxes = random_logits(seed, CLASSES + 1), random_boxes(seed)
    found = decode({"logits": logits, "pred_boxes": boxes}, threshold)
    assert_found(found, softmax_reference(logits, boxes, (WIDTH, HEIGHT), threshold))


@settings(deadline=None)
@given(thresholds, seeds)
def test_rows_of_scores_are_ultralytics(threshold: float, seed: int) -> None:
    scores = np.random.default_rng(seed).random((QUERIES, CLASSES)).astype(np.float32)
    rows = np.concatenate([random_boxes(seed), scores], axis=1)
    assert_found(decode({"output0": rows}, threshold), rows_reference(rows, (WIDTH, HEIGHT), threshold))


@settings(deadline=None)
@given(thresholds, seeds)
def test_rows_of_a_score_and_a_class_are_ultralytics_too(threshold: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, class_ids = rng.random(QUERIES).astype(np.float32), rng.integers(-1, CLASSES + 1, QUERIES)
    rows = np.concatenate([random_boxes(seed), scores[:, None], class_ids[:, None]], axis=1).astype(
        np.float32
    )
    known = (class_ids >= 0) & (class_ids < CLASSES)
    as_scores = np.zeros((known.sum(), 4 + CLASSES), np.float32)
    as_scores[:, :4] = rows[known, :4]
    as_scores[np.arange(known.sum()), 4 + class_ids[known]] = scores[known]
    assert_found(decode({"output0": rows}, threshold), rows_reference(as_scores, (WIDTH, HEIGHT), threshold))


@settings(deadline=None)
@given(thresholds, seeds)
def test_a_post_processed_graphs_boxes_are_taken_as_they_are(threshold: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels, scores = rng.integers(0, CLASSES, QUERIES), rng.random(QUERIES).astype(np.float32)
    boxes = np.sort(rng.uniform(0, 240, (QUERIES, 2, 2)), axis=1).reshape(QUERIES, 4).astype(np.float32)
    found = decode({"labels": labels, "boxes": boxes, "scores": scores}, threshold)
    order = [i for i in np.argsort(-scores, kind="stable") if scores[i] >= threshold]
    assert_found(found, [(scores[i], labels[i], tuple(boxes[i])) for i in order])


@settings(deadline=None)
@given(seeds)
def test_odd_values_give_nothing_and_spoil_nothing_else(seed: int) -> None:
    logits, boxes = (
        with_odd_values(random_logits(seed, CLASSES + 1), seed),
        with_odd_values(random_boxes(seed), 1),
    )
    pair, size = {"logits": logits, "pred_boxes": boxes}, (WIDTH, HEIGHT)
    assert_same_in_number(decode(pair, 0.3), softmax_reference(logits, boxes, size, 0.3))
    sigmoid = replace(SPEC, options={"activation": "sigmoid"})
    expected = sigmoid_reference(logits, boxes, size, CLASSES, 0.3)
    assert_same_in_number(decode(pair, 0.3, sigmoid), expected)
    rows = np.concatenate([boxes, logits[:, :CLASSES]], axis=1)
    assert_same_in_number(decode({"output0": rows}, 0.3), rows_reference(rows, size, 0.3))


def assert_same_in_number(objects: Objects, expected: list[Found]) -> None:
    assert len(objects) == len(expected)
    assert np.isfinite(objects.boxes_xyxy).all()
    assert ((objects.scores >= 0) & (objects.scores <= 1)).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_outputs_of_nothing_but_odd_values_give_no_object(value: float) -> None:
    def full(*sides: int) -> NDArray[np.float32]:
        return np.full(sides, value, np.float32)

    for outputs in (
        {"logits": full(9, CLASSES), "boxes": full(9, 4)},
        {"logits": full(9, CLASSES + 1), "boxes": full(9, 4)},
        {"logits": full(9, CLASSES + 1), "boxes": random_boxes(0)[:9]},
        {"output0": full(9, 4 + CLASSES)},
        {"output0": full(9, 6)},
        {"labels": full(9), "boxes": full(9, 4), "scores": full(9)},
    ):
        assert len(decode(outputs, 0.0)) == 0


def test_empty_outputs_give_no_object() -> None:
    labels, boxes, scores = np.zeros(0, np.int64), np.zeros((0, 4), np.float32), np.zeros(0, np.float32)
    assert len(decode({"labels": labels, "boxes": boxes, "scores": scores}, 0.0)) == 0
    assert len(decode({"output0": np.zeros((0, 6), np.float32)}, 0.0)) == 0


def test_the_number_of_objects_may_differ_from_the_first_runs() -> None:
    family = Detr(SPEC, {"labels": (1, 0), "boxes": (1, 0, 4), "scores": (1, 0)})
    boxes = np.array([[[0, 0, 9, 9], [1, 1, 5, 5]]], np.float32)
    found = family([np.array([[2, 1]]), boxes, np.array([[0.6, 0.9]], np.float32)], 0.5, 0.6)
    np.testing.assert_array_equal(found.class_ids, [1, 2])


def test_at_most_three_hundred_are_given_the_best_of_them() -> None:
    logits = np.random.default_rng(0).permutation(QUERIES * CLASSES * 2).reshape(-1, CLASSES) / 100
    boxes = np.concatenate([random_boxes(0), random_boxes(1)])
    found = decode({"logits": logits.astype(np.float32), "boxes": boxes}, 0.1)
    assert len(found) == 300
    assert (np.diff(found.scores) <= 0).all()
    best = np.sort(1 / (1 + np.exp(-logits.astype(np.float32))), axis=None)[::-1][:300]
    np.testing.assert_allclose(found.scores, best, rtol=1e-5)


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_other_floats_are_taken_too(dtype: Any) -> None:  # noqa: ANN401
    logits, boxes = random_logits(4, CLASSES).astype(np.float16), random_boxes(4).astype(np.float16)
    found = decode({"logits": logits.astype(dtype), "boxes": boxes.astype(dtype)}, 0.5)
    plain = logits.astype(np.float32), boxes.astype(np.float32)
    assert_found(found, sigmoid_reference(*plain, (WIDTH, HEIGHT), CLASSES, 0.5))


def test_rf_detrs_column_too_many_is_not_read() -> None:
    """With three labels its logits are as wide as its boxes: the names tell them apart."""
    logits, boxes = random_logits(5, 4), random_boxes(5)
    found = decode({"dets": boxes, "labels": logits}, 0.3, replace(SPEC, labels=("a", "b", "c")))
    assert_found(found, sigmoid_reference(logits, boxes, (WIDTH, HEIGHT), 3, 0.3))


def test_option_outputs_tells_apart_what_looks_alike() -> None:
    logits, boxes = random_logits(6, 4), random_boxes(6)
    spec = replace(SPEC, labels=tuple("abcd"))
    with pytest.raises(ModelError, match="option outputs tells apart"):
        decode({"1234": logits, "1235": boxes}, 0.3, spec)
    spec = replace(spec, options={"outputs": {"logits": "1234", "boxes": "1235"}})
    found = decode({"1234": logits, "1235": boxes}, 0.3, spec)
    assert_found(found, sigmoid_reference(logits, boxes, (WIDTH, HEIGHT), 4, 0.3))


def test_only_the_parts_are_read() -> None:
    shapes: dict[str, Shape] = {
        "logits": (1, 300, CLASSES),
        "pred_boxes": (1, 300, 4),
        "last_hidden_state": (1, 300, 256),
        "auxiliary_boxes": (1, 300, 4),
    }
    assert Detr.reads(SPEC, shapes) == ["logits", "pred_boxes"]


@pytest.mark.parametrize(
    ("shapes", "options", "line"),
    [
        ({"out": (1, 84, 8400)}, {}, "expected logits [1, queries, 6 or 7] and boxes"),
        (
            {"logits": (1, 300, 80), "boxes": (1, 300, 4)},
            {},
            "outputs are logits [1, 300, 80], boxes [1, 300, 4]",
        ),
        ({"logits": (1, 300, 6), "boxes": (1, 100, 4)}, {}, "expected logits"),
        ({"logits": (2, 300, 6), "boxes": (2, 300, 4)}, {}, "expected logits"),
        ({"logits": (1, 9, 6), "boxes": (1, 9, 4)}, {"activation": "relu"}, "option activation is 'relu'"),
        (
            {"logits": (1, 9, 6), "boxes": (1, 9, 4)},
            {"activation": "softmax"},
            "softmax with 7 columns for 6",
        ),
        (
            {"logits": (1, 9, 6), "boxes": (1, 9, 4)},
            {"outputs": {"logits": "x"}},
            "option outputs is {'logits'",
        ),
        (
            {"a": (1, 9, 6), "b": (1, 9, 4)},
            {"outputs": {"logits": "a", "boxes": "c"}},
            "expected names of outputs",
        ),
        ({"a": (1, 9, 6), "b": (1, 9, 4)}, {"outputs": ["a", "b"]}, "option outputs is ['a', 'b']"),
        ({}, {}, "outputs are none"),
    ],
)
def test_what_does_not_fit_is_one_line(shapes: dict[str, Shape], options: dict[str, Any], line: str) -> None:
    with pytest.raises(ModelError) as raised:
        Detr(replace(SPEC, options=options), shapes)
    assert line in str(raised.value)
    assert "\n" not in str(raised.value)


def test_labels_have_to_be_known() -> None:
    with pytest.raises(ModelError, match="expected labels; their number doesn't show"):
        Detr(replace(SPEC, labels=()), {"labels": (1, 300), "boxes": (1, 300, 4), "scores": (1, 300)})


def test_both_forms_of_a_model_find_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_engine.models.repair.cache_folder", lambda: tmp_path / "cache")
    raw_path = attending(tmp_path / "raw.onnx", is_post_processed=False)
    raw, finished = Model(raw_path), Model(attending(tmp_path / "finished.onnx", is_post_processed=True))
    pixels = np.random.default_rng(1).integers(0, 256, (1, HEIGHT, WIDTH, 3), np.uint8)
    session = onnxruntime.InferenceSession(str(raw_path), providers=["CPUExecutionProvider"])
    picture = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2), np.float32) / np.float32(255)
    logits, boxes = session.run(None, {"images": picture})
    expected = sigmoid_reference(logits[0], boxes[0], (WIDTH, HEIGHT), CLASSES, 0.0)[:20]
    assert_found(_first(answer(raw, pixels), 20), expected)
    assert_found(answer(finished, pixels), expected)


def answer(model: Model, pixels: NDArray[np.uint8]) -> Objects:
    outputs = model.new_outputs()
    model.run(model.bind(pixels, outputs))
    found = model.decoder(outputs, 0.0, 0.6)
    assert isinstance(found, Objects)
    return found


def _first(objects: Objects, count: int) -> Objects:
    return Objects(objects.boxes_xyxy[:count], objects.scores[:count], objects.class_ids[:count])
