"""Classifier and tagger: the labels of a picture that the plain references find. Weights are random."""

from __future__ import annotations

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
from edge_engine.models.families import load_family
from edge_engine.models.families.classifier import BEST, Classifier
from edge_engine.models.families.tagger import Tagger
from edge_engine.models.model import Model
from edge_engine.models.spec import InputSpec, ModelSpec
from edge_engine.models.ultralytics import spec_of_ultralytics
from edge_engine.result import Tags
from tests.models.whole_picture import (
    OTHERS,
    SIDE,
    answer_of,
    facts,
    not_looked_at,
    whole_picture_model,
)
from tests.reference.scores import scores_reference, tags_reference

PICTURE = InputSpec(SIDE, SIDE, "NHWC", "uint8", "RGB", "crop")
EVERY = 10**9

values = st.floats(-30, 30, width=32) | st.sampled_from([np.nan, np.inf, -np.inf])


def spec(
    family: str,
    labels: int,
    thresholds: dict[str, float] | None = None,
    **options: Any,  # noqa: ANN401
) -> ModelSpec:
    task: Any = {"classifier": "classification", "tagger": "tagging"}[family]
    names = tuple(f"label {i}" for i in range(labels))
    return ModelSpec(
        "m", task, family, PICTURE, names, 0.0, 0.5, label_thresholds=thresholds or {}, options=options
    )


def tags(of: ModelSpec, output: NDArray[Any], threshold: float) -> Tags:
    found = load_family(of.family)(of, {"scores": output.shape})([output], threshold, 0.5)
    assert isinstance(found, Tags)
    return found


def shaped(row: NDArray[np.float32], shape: int) -> NDArray[np.float32]:
    n = len(row)
    return row.reshape([(1, n), (1, n, 1, 1), (n,), (1, 1, 1, n)][shape])


@settings(deadline=None)
@given(
    row=st.integers(1, 40).flatmap(lambda n: arrays(np.float32, n, elements=values)),
    shape=st.integers(0, 3),
    activation=st.sampled_from(["none", "softmax", "sigmoid"]),
    family=st.sampled_from(["classifier", "tagger"]),
    threshold=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
)
def test_tags_are_those_of_the_reference(
    row: NDArray[np.float32], shape: int, activation: str, family: str, threshold: float
) -> None:
    if family == "tagger" and activation == "softmax":
        activation = "sigmoid"
    found = tags(spec(family, len(row), activation=activation), shaped(row, shape), threshold)
    scores = scores_reference(row.tolist(), activation)
    most = BEST if family == "classifier" else EVERY
    assert (found.class_ids.dtype, found.scores.dtype) == (np.int32, np.float32)
    np.testing.assert_allclose(found.scores, [scores[i] for i in found.class_ids], atol=2e-6)
    ours: list[float] = [float("nan")] * len(row)  # float32 may order near ties otherwise
    for class_id, score in zip(found.class_ids.tolist(), found.scores.tolist(), strict=True):
        ours[class_id] = score
    expected = [scores[i] for i in tags_reference(scores, [threshold] * len(row), most)]
    near = [score for score in scores if abs(score - threshold) < 2e-6]
    assert abs(len(found) - len(expected)) <= len(near)
    np.testing.assert_allclose(found.scores[: len(expected)], expected[: len(found)], atol=2e-6)
    assert found.class_ids.tolist() == tags_reference(ours, [threshold] * len(row), most)


def test_of_equal_scores_the_first_labels_win() -> None:
    output = np.array([[0.1, 0.5, 0.1, 0.5, 0.1, 0.1, 0.1, 0.1]], np.float32)
    assert tags(spec("classifier", 8, activation="none"), output, 0.0).class_ids.tolist() == [1, 3, 0, 2, 4]


@pytest.mark.parametrize("family", ["classifier", "tagger"])
def test_labels_have_thresholds_of_their_own(family: str) -> None:
    output = np.array([[0.3, 0.5, 0.6, 0.9]], np.float32)
    own = {"label 0": 0.25, "label 3": 0.95}
    found = tags(spec(family, 4, own, activation="none"), output, 0.6)
    assert found.class_ids.tolist() == [2, 0]


def test_everything_below_the_threshold_is_no_tags() -> None:
    found = tags(spec("tagger", 3, activation="sigmoid"), np.full((1, 3), -9, np.float32), 0.5)
    assert len(found) == 0
    assert found.class_ids.dtype == np.int32


@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
def test_quantized_scores_are_scale_times_distance_from_zero(dtype: type[np.integer[Any]]) -> None:
    zero_point = 0 if dtype is np.uint8 else -128
    output = (np.array([[0, 64, 128]]) + zero_point).astype(dtype)
    of = spec("classifier", 3, activation="none", scale=1 / 256, zero_point=zero_point)
    found = tags(of, output, 0.1)
    assert found.class_ids.tolist() == [2, 1]
    assert found.scores.tolist() == [0.5, 0.25]


def test_a_background_is_no_label() -> None:
    output = np.array([[0.7, 0.1, 0.2]], np.float32)
    found = tags(spec("classifier", 2, activation="none", background=True), output, 0.0)
    assert found.class_ids.tolist() == [1, 0]
    np.testing.assert_array_equal(found.scores, output[0, [2, 1]])


@pytest.mark.parametrize(
    ("of", "shapes", "line"),
    [
        (spec("classifier", 3), {"a": (1, 3)}, "option activation is None; expected none"),
        (spec("classifier", 3, activation="tanh"), {"a": (1, 3)}, "activation is 'tanh'"),
        (spec("tagger", 3, activation="softmax"), {"a": (1, 3)}, "each by itself"),
        (spec("classifier", 3, activation="none"), {"a": (1, 4)}, r"one output \[1, 3\] .* a \[1, 4\]"),
        (spec("classifier", 3, activation="none"), {}, "outputs are none"),
        (spec("classifier", 3, activation="none"), {"a": (1, 3), "b": (1, 3)}, "one output"),
        (spec("classifier", 3, activation="none", background=True), {"a": (1, 3)}, "and the background"),
        (spec("classifier", 3, activation="none", scale=0), {"a": (1, 3)}, "option scale is 0"),
        (spec("tagger", 3, {"cat": 0.5}, activation="none"), {"a": (1, 3)}, "'cat' is none of its labels"),
    ],
)
def test_what_does_not_fit_is_one_line(of: ModelSpec, shapes: dict[str, tuple[int, ...]], line: str) -> None:
    with pytest.raises(ModelError, match=line) as told:
        load_family(of.family)(of, shapes)
    assert "\n" not in str(told.value)


def test_of_several_alike_the_named_one_is_read() -> None:
    of = spec("classifier", 3, activation="none", output="b")
    decoder = Classifier(of, {"a": (1, 3), "b": (1, 3)})
    assert Classifier.reads(of, {"a": (1, 3), "b": (1, 3)}) == ["b"]
    outputs = [np.zeros((1, 3), np.float32), np.array([[0, 1, 0]], np.float32)]
    assert decoder(outputs, 0.5, 0.5).class_ids.tolist() == [1]


def test_integers_of_unknown_scale_are_one_line() -> None:
    with pytest.raises(ModelError, match="its output is uint8; options scale and zero_point"):
        tags(spec("classifier", 3, activation="none"), np.zeros((1, 3), np.uint8), 0.0)


@pytest.mark.parametrize("name", OTHERS)
def test_graphs_of_other_kinds_are_not_claimed(name: str) -> None:
    assert Classifier.deduce(OTHERS[name]) is None
    assert Tagger.deduce(OTHERS[name]) is None


@pytest.mark.parametrize(
    ("shape", "ends_in", "family", "activation"),
    [
        ((1, 10), "Softmax", "classifier", "none"),
        ((1, 10, 1, 1), "LogSoftmax", "classifier", "softmax"),
        ((1, 1000), "Gemm", "classifier", "softmax"),
        ((1, 1001), "Conv", "classifier", "softmax"),
        ((1, 10), "Sigmoid", "tagger", "none"),
        ((1, 1000), "Sigmoid", "tagger", "none"),
        ((1, 10), "Gemm", None, ""),
        ((1, 1), "Softmax", None, ""),
    ],
)
def test_a_graphs_end_says_which_of_both_it_is(
    shape: tuple[int, ...], ends_in: str, family: str | None, activation: str
) -> None:
    graph = facts({"scores": shape}, ends_in={"scores": ends_in})
    claims = [found for kind in (Classifier, Tagger) if (found := kind.deduce(graph)) is not None]
    assert [claim.family for claim in claims] == ([family] if family else [])
    for claim in claims:
        assert claim.options == {"activation": activation}
        assert claim.classes == max(shape)


@pytest.mark.parametrize(("kind", "activation"), [(Classifier, "softmax"), (Tagger, "sigmoid")])
def test_a_person_may_say_what_the_graph_does_not(
    kind: type[Classifier] | type[Tagger], activation: str
) -> None:
    found = kind.deduce(facts({"out": (1, 10)}, ends_in={"out": "Gemm"}, is_named=True))
    assert found is not None
    assert found.options == {"activation": activation}


def test_a_classifier_without_metadata_is_run_on_the_middle_of_the_picture(tmp_path: Path) -> None:
    path = whole_picture_model(tmp_path / "cats.onnx", "softmax", 12)
    model = Model(path)
    assert (model.spec.task, model.spec.family, model.spec.input.letterbox) == (
        "classification",
        "classifier",
        "crop",
    )
    image = np.random.default_rng(3).integers(0, 256, (90, 160, 3), np.uint8)
    found, tensor = answer_of(model, image)
    mean, std = np.float32([123.675, 116.28, 103.53]), np.float32([58.395, 57.12, 57.375])
    normalised = ((tensor.astype(np.float32) - mean) / std).transpose(0, 3, 1, 2)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (scores,) = session.run(None, {"images": np.ascontiguousarray(normalised)})
    assert isinstance(found, Tags)
    expected = tags_reference(scores[0].tolist(), [0.0] * 12, BEST)
    assert found.class_ids.tolist() == expected
    np.testing.assert_allclose(found.scores, scores[0, expected], rtol=1e-4)
    black_sides = image.copy()
    black_sides[:, :40] = black_sides[:, -40:] = 0
    np.testing.assert_array_equal(answer_of(model, black_sides)[1], tensor)


def test_a_quantized_classifier_says_its_own_scale(tmp_path: Path) -> None:
    quantized = Model(whole_picture_model(tmp_path / "quantized.onnx", "quantized", 6))
    plain = Model(whole_picture_model(tmp_path / "plain.onnx", "softmax", 6))
    assert quantized.spec.options == {"activation": "none", "scale": 1 / 256, "zero_point": 0}
    image = np.random.default_rng(4).integers(0, 256, (40, 40, 3), np.uint8)
    one, other = answer_of(quantized, image)[0], answer_of(plain, image)[0]
    assert isinstance(one, Tags)
    assert isinstance(other, Tags)
    assert one.class_ids[0] == other.class_ids[0]
    np.testing.assert_allclose(one.scores, other.scores, atol=1 / 256)


def test_a_tagger_gives_every_label_above_its_threshold(tmp_path: Path) -> None:
    (tmp_path / "scene.yaml").write_text("score_threshold: 0.0\nlabel_thresholds: {class 1: 1.0}\n")
    model = Model(whole_picture_model(tmp_path / "scene.onnx", "sigmoid", 9))
    assert model.spec.task == "tagging"
    found, _ = answer_of(model, np.full((20, 30, 3), 200, np.uint8))
    assert isinstance(found, Tags)
    assert sorted(found.class_ids.tolist()) == [0, 2, 3, 4, 5, 6, 7, 8]
    assert (np.diff(found.scores) <= 0).all()


@pytest.mark.parametrize(("size", "letterbox"), [([SIDE, SIDE], "crop"), ([SIDE, 64], "stretch")])
def test_ultralytics_classifiers_are_read_from_their_metadata(size: list[int], letterbox: str) -> None:
    metadata = {"names": "{0: 'tench', 1: 'goldfish'}", "imgsz": str(size), "task": "classify"}
    found = spec_of_ultralytics(Path("x.onnx"), metadata, "NCHW", not_looked_at)
    assert (found.task, found.family, found.labels) == ("classification", "classifier", ("tench", "goldfish"))
    assert (found.input.letterbox, found.input.std, found.score_threshold) == (letterbox, (255.0,) * 3, 0.0)
    assert found.options == {"activation": "none"}


def test_an_ultralytics_classifier_is_run(tmp_path: Path) -> None:
    metadata = {"names": "{0: 'a', 1: 'b', 2: 'c'}", "imgsz": f"[{SIDE}, {SIDE}]", "task": "classify"}
    model = Model(whole_picture_model(tmp_path / "x.onnx", "softmax", 3, metadata))
    found, _ = answer_of(model, np.full((20, 30, 3), 200, np.uint8))
    assert isinstance(found, Tags)
    assert float(found.scores.sum()) == pytest.approx(1, abs=1e-5)
