"""BlazeFace's outputs become the faces and points that the plain numpy reference finds, in every layout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_engine.errors import ModelError
from edge_engine.models.families.blazeface import BlazeFace
from edge_engine.models.families.faces import SIX_POINTS
from edge_engine.models.model import Model
from edge_engine.result import Objects
from tests.models.face_heads import Outputs, assert_same, facts, headed, run, shapes, spec
from tests.reference.faces import Faces, blazeface_anchors, blazeface_reference

LAYERS = {128: ([8, 16, 16, 16], 2), 256: ([16, 32, 32, 32], 2), 192: ([4], 1)}
"""Strides of the layers of anchors and anchors of each, by the side of the input."""


def head(side: int, seed: int = 0) -> Outputs:
    rng = np.random.default_rng(seed)
    anchors = len(blazeface_anchors(side, *LAYERS[side]))
    numbers = rng.uniform(-side / 10, side / 10, (1, anchors, 16))
    numbers[..., 2:4] = rng.uniform(4, side / 3, (1, anchors, 2))
    logits = rng.normal(-2, 2, (1, anchors, 1))
    return {"regressors": numbers.astype(np.float32), "classificators": logits.astype(np.float32)}


def plain(outputs: Outputs) -> Outputs:
    return outputs


def in_one(outputs: Outputs) -> Outputs:
    return {"output": np.concatenate([outputs["classificators"], outputs["regressors"]], axis=2)}


def by_stride(outputs: Outputs) -> Outputs:
    """512 anchors of the finer stride, 384 of the coarser; in no helpful order."""
    logits, numbers = outputs["classificators"], outputs["regressors"]
    parts = {"c": numbers[:, 512:], "a": logits[:, :512], "d": numbers[:, :512], "b": logits[:, 512:]}
    return {name: np.ascontiguousarray(part) for name, part in parts.items()}


def reference(outputs: Outputs, side: int, score: float, iou: float) -> Faces:
    logits, numbers = outputs["classificators"][0, :, 0], outputs["regressors"][0]
    return blazeface_reference(logits, numbers, blazeface_anchors(side, *LAYERS[side]), score).suppressed(iou)


def decode(outputs: Outputs, side: int, score: float = 0.5, iou: float = 0.3, **options: Any) -> Objects:  # noqa: ANN401
    decoder = BlazeFace(spec("blazeface", (side, side), **options), shapes(outputs))
    found = decoder(list(outputs.values()), score, iou)
    assert isinstance(found, Objects)
    return found


@pytest.mark.parametrize(
    ("side", "layout"),
    [(128, plain), (128, in_one), (128, by_stride), (256, plain), (256, by_stride), (192, plain)],
)
@pytest.mark.parametrize(("score", "iou"), [(0.5, 0.3), (0.05, 0.6), (0.8, 0.3)])
def test_finds_what_the_reference_finds(
    side: int, layout: Callable[[Outputs], Outputs], score: float, iou: float
) -> None:
    outputs = head(side)
    found = decode(layout(outputs), side, score, iou)
    assert len(found) > 3
    assert_same(found, reference(outputs, side, score, iou))


def test_layers_of_anchors_can_be_given() -> None:
    outputs = head(192)
    assert_same(decode(outputs, 192, strides=[4], anchors_per_layer=1), reference(outputs, 192, 0.5, 0.3))
    with pytest.raises(ModelError, match=r"\[1, 9216, 1\]"):
        decode(outputs, 192, strides=[4, 4], anchors_per_layer=2)


@pytest.mark.parametrize("side", [128, 192])
def test_a_model_file_finds_what_the_reference_finds(tmp_path: Path, side: int) -> None:
    given = spec("blazeface", (side, side))
    model = Model(headed(tmp_path / "blazeface.onnx", given, head(side)))
    for value in (20, 250):
        outputs, found = run(model, value)
        assert len(found) > 3
        assert_same(found, reference(outputs, side, 0.5, 0.3))


def test_outputs_are_only_read_and_frames_do_not_share_their_faces() -> None:
    first, second = head(128, 1), head(128, 2)
    before = {name: output.copy() for name, output in first.items()}
    decoder = BlazeFace(spec("blazeface", (128, 128)), shapes(first))
    found = decoder(list(first.values()), 0.5, 0.3)
    decoder(list(second.values()), 0.5, 0.3)
    assert_same(found, reference(before, 128, 0.5, 0.3))
    for name, output in first.items():
        np.testing.assert_array_equal(output, before[name])


def test_nothing_above_the_threshold_gives_no_faces() -> None:
    found = decode(head(128), 128, score=1.01)
    assert len(found) == 0
    assert found.keypoints is not None
    assert found.keypoints.shape == (0, 6, 3)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["classificators", "regressors"])
def test_what_is_no_finite_number_gives_no_faces(value: float, name: str) -> None:
    outputs = head(128)
    outputs[name] = np.full_like(outputs[name], value)
    assert len(decode(outputs, 128, score=0.0, iou=1.0)) == 0


def test_the_largest_logits_are_scores_of_one() -> None:
    outputs = head(128)
    outputs["classificators"][0, :2, 0] = 3e38, -3e38
    assert decode(outputs, 128).scores[0] == 1


@pytest.mark.parametrize(
    "changes", [{"regressors": (1, 896, 18)}, {"classificators": (1, 895, 1)}, {"more": (1, 896, 16)}]
)
def test_outputs_that_do_not_fit_are_one_line(changes: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(ModelError, match=r"outputs \[1, 896, 1\] and \[1, 896, 16\]") as raised:
        BlazeFace(spec("blazeface", (128, 128)), shapes(head(128)) | changes)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("options", [{}, {"strides": [8]}, {"strides": "8"}, {"strides": [8, 0]}])
def test_a_size_that_mediapipe_has_not_needs_its_layers(options: dict[str, Any]) -> None:
    wanted = spec("blazeface", (160, 160), **options)
    if options == {"strides": [8]}:
        assert BlazeFace.reads(wanted, {"a": (1, 800, 1), "b": (1, 800, 16)}) == ["a", "b"]
        return
    with pytest.raises(ModelError, match="needs both for an input of 160x160"):
        BlazeFace(wanted, {"a": (1, 800, 1), "b": (1, 800, 16)})


@pytest.mark.parametrize(
    ("side", "layout"),
    [(128, plain), (128, in_one), (128, by_stride), (256, plain), (256, by_stride), (192, plain)],
)
def test_its_graph_is_recognised(side: int, layout: Callable[[Outputs], Outputs]) -> None:
    outputs = shapes(layout(head(side)))
    deduced = BlazeFace.deduce(facts((side, side), outputs))
    assert deduced is not None
    assert (deduced.family, deduced.classes, deduced.colour) == ("blazeface", 1, "RGB")
    assert deduced.keypoint_names == SIX_POINTS
    assert (deduced.letterbox, deduced.mean, deduced.std) == ("centre", (127.5,) * 3, (127.5,) * 3)
    assert BlazeFace.deduce(facts((side, side), outputs | {"more": (1, 80)})) is None
    assert BlazeFace.deduce(facts((160, 160), outputs)) is None
