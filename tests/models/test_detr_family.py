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
from onnx import TensorProto, helper, numpy_helper

from edge_engine.errors import ModelError
from edge_engine.models.facts import GraphFacts, Shape
from edge_engine.models.families import load_family
from edge_engine.models.families.detr import Detr
from edge_engine.models.families.detr_facts import COCO_IDS
from edge_engine.models.model import Model
from edge_engine.models.spec import InputSpec, ModelSpec
from edge_engine.result import Objects
from tests.models.exported import save
from tests.reference.detr import Found, rows_reference, sigmoid_reference, softmax_reference

WIDTH, HEIGHT = 320, 240
LABELS = tuple("abcdef")
CLASSES, QUERIES = len(LABELS), 50
SPEC = ModelSpec(
    "tiny",
    "detection",
    "detr",
    InputSpec(WIDTH, HEIGHT, "NHWC", "uint8", "RGB", "stretch"),
    LABELS,
    0.5,
    0.6,
)
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
    assert len(objects) == len(expected)
    assert (objects.boxes_xyxy.dtype, objects.scores.dtype, objects.class_ids.dtype) == ("f4", "f4", "i4")
    np.testing.assert_allclose(objects.scores, [score for score, _, _ in expected], rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(objects.class_ids, [class_id for _, class_id, _ in expected])
    boxes = np.array([box for _, _, box in expected]).reshape(-1, 4)
    np.testing.assert_allclose(objects.boxes_xyxy, boxes, rtol=1e-4, atol=1e-2)


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


def facts(outputs: dict[str, Shape], **changes: Any) -> GraphFacts:  # noqa: ANN401
    """Of a graph of 640 x 640 without attention, unless said otherwise."""
    dtypes = {name: "int64" if name == "labels" and len(s) == 2 else "float32" for name, s in outputs.items()}
    plain = GraphFacts("x", "images", (640, 640), "NCHW", "float32", outputs, dtypes, {}, {"Conv": 60})
    return plain._replace(**changes)


ATTENTION = {"Softmax": 12, "MatMul": 90, "Conv": 53}
DEFORMABLE = {**ATTENTION, "GridSample": 18, "TopK": 1}
MASK = {"pixel_mask": (0, 0, 0)}
SIZES = {"orig_target_sizes": (1, 2)}
IMAGENET, UNIT = (123.675, 116.28, 103.53), (0.0, 0.0, 0.0)

CLAIMED: dict[str, tuple[GraphFacts, int, str | None, tuple[float, ...], set[str]]] = {
    "DETR of optimum": (
        facts({"logits": (1, 100, 92), "pred_boxes": (1, 100, 4)}, side_inputs=MASK, operators=ATTENTION),
        91, "softmax", IMAGENET, {"logits", "boxes"},
    ),
    "YOLOS": (
        facts({"logits": (0, 0, 12), "pred_boxes": (0, 0, 4)}, operators=ATTENTION),
        11, "softmax", IMAGENET, {"logits", "boxes"},
    ),
    "Deformable DETR": (
        facts({"logits": (1, 300, 91), "pred_boxes": (1, 300, 4)}, side_inputs=MASK, operators=DEFORMABLE),
        91, "sigmoid", IMAGENET, {"logits", "boxes"},
    ),
    "RT-DETR and D-FINE of optimum": (
        facts({"logits": (1, 300, 80), "pred_boxes": (1, 300, 4)}, operators=DEFORMABLE),
        80, "sigmoid", UNIT, {"logits", "boxes"},
    ),
    "RF-DETR": (
        facts({"dets": (1, 300, 4), "labels": (1, 300, 91)}, operators=DEFORMABLE),
        91, "sigmoid", IMAGENET, {"logits", "boxes"},
    ),
    "RF-DETR of three classes": (
        facts({"dets": (1, 300, 4), "labels": (1, 300, 4)}, operators=DEFORMABLE),
        3, "sigmoid", IMAGENET, {"logits", "boxes"},
    ),
    "DETR by shapes alone": (
        facts({"1": (1, 100, 92), "2": (1, 100, 4)}, operators=ATTENTION),
        91, "softmax", IMAGENET, {"logits", "boxes"},
    ),
    "RT-DETR with post-processing": (
        facts({"labels": (1, 300), "boxes": (1, 300, 4), "scores": (1, 300)}, side_inputs=SIZES),
        0, None, UNIT, {"labels", "boxes", "scores"},
    ),
    "Ultralytics": (facts({"output0": (1, 300, 84)}, operators=DEFORMABLE), 80, None, UNIT, {"rows"}),
    "Ultralytics of two classes": (
        facts({"output0": (1, 300, 6)}, operators=DEFORMABLE), 2, None, UNIT, {"rows"},
    ),
    "Ultralytics with selection": (
        facts({"output0": (1, 300, 6)}, operators={**DEFORMABLE, "TopK": 2}), 0, None, UNIT, {"selected"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CLAIMED)
def test_an_exporters_graph_is_recognised(name: str) -> None:
    graph, classes, activation, mean, parts = CLAIMED[name]
    found = load_family("detr").deduce(graph)
    assert found is not None
    assert (found.family, found.task, found.classes) == ("detr", "detection", classes)
    assert (found.options.get("activation"), found.mean) == (activation, mean)
    assert set(found.options["outputs"]) == parts
    assert (found.colour, found.letterbox) == ("RGB", "stretch")
    assert found.labels == (COCO_IDS if classes == 91 else ())
    labels = found.labels or tuple(f"class {i}" for i in range(classes or 7))
    shapes = {n: (1, s[1] or 100, *s[2:]) for n, s in graph.outputs.items()}
    Detr(replace(SPEC, labels=labels, options=found.options), shapes)


@pytest.mark.parametrize(
    "graph",
    [
        facts({"output0": (1, 84, 8400)}),
        facts({"output0": (1, 25200, 85)}),
        facts({"output": (1, 8400, 85)}),
        facts({"output0": (1, 300, 6)}),
        facts({"output0": (1, 300, 6)}, operators={"TopK": 2, "Softmax": 3, "MatMul": 4, "Conv": 90}),
        facts({"output0": (1, 300, 38), "output1": (1, 32, 160, 160)}),
        facts({"scores": (1, 8400, 80), "distances": (1, 8400, 32)}),
        facts({f"{k}{s}": (1, n, w) for s, n in ((8, 6400), (16, 1600)) for k, w in (("s", 80), ("d", 44))}),
        facts({"scores": (1, 4420, 2), "boxes": (1, 4420, 4)}),
        facts({"scores": (1, 300, 2), "boxes": (1, 300, 4)}),
        facts({"boxes": (1, 10647, 4), "scores": (1, 80, 10647), "indices": (0, 3)}),
        facts({"labels": (1, 300), "boxes": (1, 300, 4), "scores": (1, 300)}),
        facts({"dets": (1, 100, 5), "labels": (1, 100)}),
        facts({"probabilities": (1, 1000)}, operators=ATTENTION),
        facts({"logits": (1, 150, 128, 128)}, operators=ATTENTION),
        facts({"last_hidden_state": (1, 197, 768), "pooled": (1, 768)}, operators=ATTENTION),
        facts({"heatmap": (1, 17, 64, 48)}),
        facts({"rows": (0, 7)}),
        facts({}),
    ],
)
def test_other_families_graphs_are_left_to_them(graph: GraphFacts) -> None:
    assert Detr.deduce(graph) is None


def exported_detr(path: Path, *, is_post_processed: bool) -> Path:
    """One attention over a grid of the picture's colours; the head of an export of RT-DETR."""
    rng = np.random.default_rng(2)
    constants: dict[str, NDArray[Any]] = {
        "patches": rng.normal(size=(16, 3, 16, 16)).astype(np.float32) / 16,
        "tokens": np.array([1, 16, -1]),
        "queries": rng.normal(size=(1, QUERIES, 16)).astype(np.float32) / 4,
        "to_logits": rng.normal(size=(16, CLASSES)).astype(np.float32) / 2,
        "to_boxes": rng.normal(size=(16, 4)).astype(np.float32) / 2,
        "most": np.array([20]),
        "flat": np.array([1, -1]),
        "classes": np.array(CLASSES),
        "half": np.float32([[[0.5, 0.5]]]),
        "middle": np.array([2, 2]),
    }
    node = helper.make_node
    nodes = [
        node("Conv", ["images", "patches"], ["grid"], strides=[16, 16]),
        node("Reshape", ["grid", "tokens"], ["keys"]),
        node("MatMul", ["queries", "keys"], ["weights"]),
        node("Softmax", ["weights"], ["attention"], axis=-1),
        node("Transpose", ["keys"], ["values"], perm=[0, 2, 1]),
        node("MatMul", ["attention", "values"], ["seen"]),
        node("MatMul", ["seen", "to_logits"], ["logits"]),
        node("MatMul", ["seen", "to_boxes"], ["box_logits"]),
        node("Sigmoid", ["box_logits"], ["pred_boxes"]),
    ]
    outputs: dict[str, tuple[int, list[int]]] = {
        "logits": (1, [1, QUERIES, CLASSES]),
        "pred_boxes": (1, [1, QUERIES, 4]),
    }
    inputs = [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, HEIGHT, WIDTH])]
    if is_post_processed:
        nodes += [
            node("Sigmoid", ["logits"], ["every_score"]),
            node("Reshape", ["every_score", "flat"], ["flat_scores"]),
            node("TopK", ["flat_scores", "most"], ["scores", "places"]),
            node("Mod", ["places", "classes"], ["labels"]),
            node("Div", ["places", "classes"], ["chosen"]),
            node("Split", ["pred_boxes"], ["centres", "sizes"], axis=2, num_outputs=2),
            node("Mul", ["sizes", "half"], ["halves"]),
            node("Sub", ["centres", "halves"], ["corners"]),
            node("Add", ["centres", "halves"], ["far_corners"]),
            node("Concat", ["corners", "far_corners"], ["shares"], axis=2),
            node("Cast", ["orig_target_sizes"], ["size"], to=TensorProto.FLOAT),
            node("Concat", ["size", "size"], ["scale"], axis=1),
            node("Mul", ["shares", "scale"], ["every_box"]),
            node("Squeeze", ["every_box", "nought"], ["list_of_boxes"]),
            node("Gather", ["list_of_boxes", "chosen"], ["boxes"]),
        ]
        constants["nought"] = np.array([0])
        outputs = {"labels": (7, [1, 20]), "boxes": (1, [1, 20, 4]), "scores": (1, [1, 20])}
        inputs.append(helper.make_tensor_value_info("orig_target_sizes", TensorProto.INT64, ["N", 2]))
    graph = helper.make_graph(
        nodes,
        "detr",
        inputs,
        [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in outputs.items()],
        [numpy_helper.from_array(np.asarray(values), name) for name, values in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    picture = InputSpec(WIDTH, HEIGHT, "NCHW", "float32", "RGB", "stretch", std=(255.0,) * 3)
    return save(model, path, replace(SPEC, input=picture))


def test_both_forms_of_a_model_find_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_engine.models.repair.cache_folder", lambda: tmp_path / "cache")
    raw_path = exported_detr(tmp_path / "raw.onnx", is_post_processed=False)
    raw, finished = Model(raw_path), Model(exported_detr(tmp_path / "finished.onnx", is_post_processed=True))
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
