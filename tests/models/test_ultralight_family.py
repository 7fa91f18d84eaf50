"""UltraLight's scores and boxes become the faces that the plain numpy reference finds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_engine.errors import ModelError
from edge_engine.models.families.candidates import MAX_CANDIDATES
from edge_engine.models.families.ultralight import UltraLight
from edge_engine.models.model import Model
from edge_engine.result import Objects
from tests.models.face_heads import Outputs, assert_same, facts, headed, run, shapes, spec
from tests.reference.faces import Faces, ultralight_reference

SIZE, ANCHORS = (320, 240), 4420
SPEC = spec("ultralight", SIZE)


def head(seed: int = 0, size: float = 0.3) -> Outputs:
    rng = np.random.default_rng(seed)
    faces = rng.permutation(ANCHORS) / ANCHORS
    corners = rng.uniform(0, 1, (ANCHORS, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(0.01, size, (ANCHORS, 2))], axis=1)
    scores = np.stack([1 - faces, faces], axis=1)
    return {"scores": scores[None].astype(np.float32), "boxes": boxes[None].astype(np.float32)}


def reference(outputs: Outputs, score: float, iou: float) -> Faces:
    return ultralight_reference(outputs["scores"][0], outputs["boxes"][0], SIZE, score).suppressed(iou)


def decode(outputs: Outputs, score: float = 0.7, iou: float = 0.3) -> Objects:
    found = UltraLight(SPEC, shapes(outputs))(list(outputs.values()), score, iou)
    assert isinstance(found, Objects)
    return found


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("score", "iou"), [(0.7, 0.3), (0.4, 0.5), (0.99, 0.3)])
def test_finds_what_the_reference_finds(seed: int, score: float, iou: float) -> None:
    outputs = head(seed)
    found = decode(outputs, score, iou)
    assert len(found) > 3
    assert_same(found, reference(outputs, score, iou))


def test_of_more_candidates_than_there_is_room_for_the_best_stay() -> None:
    outputs = head(size=0.02)
    assert ANCHORS > MAX_CANDIDATES
    assert_same(decode(outputs, score=0.0, iou=1.0), reference(outputs, 0.5, 1.0))


def test_a_model_file_finds_what_the_reference_finds(tmp_path: Path) -> None:
    model = Model(headed(tmp_path / "ultralight.onnx", SPEC, head()))
    for value in (20, 250):
        outputs, found = run(model, value)
        assert len(found) > 3
        assert_same(found, reference(outputs, 0.5, 0.3))


def test_the_order_of_the_outputs_makes_no_difference() -> None:
    outputs = head()
    assert_same(decode({name: outputs[name] for name in ("boxes", "scores")}), reference(outputs, 0.7, 0.3))


def test_nothing_above_the_threshold_gives_no_faces() -> None:
    assert len(decode(head(), score=1.01)) == 0


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["scores", "boxes"])
def test_what_is_no_finite_number_gives_no_faces(value: float, name: str) -> None:
    outputs = head() | {name: np.full_like(head()[name], value)}
    assert len(decode(outputs, score=0.0, iou=1.0)) == 0


@pytest.mark.parametrize("changes", [{"scores": (1, 4420, 3)}, {"boxes": (1, 4419, 4)}, {"a": (1, 4420, 4)}])
def test_outputs_that_do_not_fit_are_one_line(changes: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(ModelError, match=r"one output \[1, 4420, 2\] and one \[1, 4420, 4\]") as raised:
        UltraLight(SPEC, shapes(head()) | changes)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(("size", "anchors"), [((320, 240), 4420), ((640, 480), 17640), ((128, 128), 940)])
def test_its_graph_is_recognised_by_its_anchors(size: tuple[int, int], anchors: int) -> None:
    outputs = {"boxes": (1, anchors, 4), "scores": (1, anchors, 2)}
    deduced = UltraLight.deduce(facts(size, outputs))
    assert deduced is not None
    assert (deduced.family, deduced.classes, deduced.colour) == ("ultralight", 1, "RGB")
    assert (deduced.letterbox, deduced.mean, deduced.std) == ("stretch", (127.0,) * 3, (128.0,) * 3)
    assert UltraLight.deduce(facts((size[0] + 64, size[1]), outputs)) is None
