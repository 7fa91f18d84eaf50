"""SCRFD's outputs become the faces and points that the plain numpy reference finds, in every layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_engine.errors import ModelError
from edge_engine.models.families.faces import FIVE_POINTS
from edge_engine.models.families.scrfd import Scrfd
from edge_engine.models.model import Model
from edge_engine.result import Objects
from tests.models.face_heads import Outputs, assert_same, facts, headed, merged, run, shapes, spec
from tests.reference.faces import Faces, scrfd_reference

SIZE = (96, 64)
GRIDS = {8: (12, 8), 16: (6, 4), 32: (3, 2)}
SPEC = spec("scrfd", SIZE)


def head(seed: int = 0, is_batched: bool = True, has_points: bool = True) -> Outputs:
    """In the order of InsightFace's files, whose outputs are called by numbers."""
    rng = np.random.default_rng(seed)
    parts: Outputs = {}
    for wide in (1, 4, 10) if has_points else (1, 4):
        for stride, (width, height) in GRIDS.items():
            shape = (width * height * 2, wide)
            values = rng.random(shape) if wide == 1 else rng.uniform(-0.2 if wide == 4 else -1, 2, shape)
            parts[f"{wide}_{stride}"] = (values[None] if is_batched else values).astype(np.float32)
    return parts


def reference(outputs: Outputs, score: float, iou: float) -> Faces:
    parts, first = [], 0
    for stride, (width, height) in GRIDS.items():
        anchors = width * height * 2
        none = np.empty((anchors, 0), np.float32)
        scores, distances, points = (
            outputs.get(f"{wide}_{stride}", none).reshape(anchors, -1) for wide in (1, 4, 10)
        )
        parts.append(scrfd_reference(scores[:, 0], distances, points, 2, width, stride, first, score))
        first += anchors
    return merged(parts, iou)


def decode(outputs: Outputs, score: float = 0.5, iou: float = 0.4) -> Objects:
    found = Scrfd(SPEC, shapes(outputs))(list(outputs.values()), score, iou)
    assert isinstance(found, Objects)
    return found


@pytest.mark.parametrize("is_batched", [True, False])
@pytest.mark.parametrize("has_points", [True, False])
@pytest.mark.parametrize(("score", "iou"), [(0.5, 0.4), (0.0, 0.6), (0.95, 0.3), (0.3, 1.0)])
def test_finds_what_the_reference_finds(is_batched: bool, has_points: bool, score: float, iou: float) -> None:
    outputs = head(3, is_batched, has_points)
    found = decode(outputs, score, iou)
    assert len(found) > 3
    assert_same(found, reference(outputs, score, iou))


@pytest.mark.parametrize("is_batched", [True, False])
def test_a_model_file_finds_what_the_reference_finds(tmp_path: Path, is_batched: bool) -> None:
    model = Model(headed(tmp_path / "scrfd.onnx", SPEC, head(is_batched=is_batched)))
    for value in (20, 250):
        outputs, found = run(model, value)
        assert len(found) > 3
        assert_same(found, reference(outputs, 0.5, 0.3))


def test_other_outputs_of_the_file_are_not_read() -> None:
    outputs = head() | {"features": np.zeros((1, 64, 8, 12), np.float32)}
    assert Scrfd.reads(SPEC, shapes(outputs)) == list(head())
    assert_same(decode(outputs), reference(outputs, 0.5, 0.4))


def test_frames_do_not_share_their_faces() -> None:
    first, second = head(1), head(2)
    decoder = Scrfd(SPEC, shapes(first))
    found = decoder(list(first.values()), 0.5, 0.4)
    decoder(list(second.values()), 0.5, 0.4)
    assert_same(found, reference(first, 0.5, 0.4))


def test_nothing_above_the_threshold_gives_no_faces() -> None:
    assert len(decode(head(), score=1.0)) == 0


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("wide", ["1_", "4_", "10_"])
def test_what_is_no_finite_number_gives_no_faces(value: float, wide: str) -> None:
    outputs = {name: np.full_like(o, value) if name.startswith(wide) else o for name, o in head().items()}
    assert len(decode(outputs, score=0.0, iou=1.0)) == 0


def test_a_score_is_at_most_one() -> None:
    outputs = head()
    outputs["1_8"][0, 7] = 4.0
    assert decode(outputs).scores[0] == 1


def test_boxes_without_width_are_dropped() -> None:
    outputs = head()
    for stride in GRIDS:
        outputs[f"4_{stride}"][..., 2] = -outputs[f"4_{stride}"][..., 0]
    assert len(decode(outputs, score=0.0, iou=1.0)) == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"1_8": (1, 190, 1)}, r"\[192, 10\] and others for stride 8 of an input of 96x64"),
        ({"10_32": (1, 12, 8)}, "none or three 10 wide"),
        ({"1_8": (2, 192, 1)}, "three outputs"),
        ({"more": (1, 192, 1)}, "three outputs"),
    ],
)
def test_outputs_that_do_not_fit_are_one_line(changes: dict[str, tuple[int, ...]], message: str) -> None:
    with pytest.raises(ModelError, match=message) as raised:
        Scrfd(SPEC, shapes(head()) | changes)
    assert "\n" not in str(raised.value)


def test_its_graph_is_recognised() -> None:
    deduced = Scrfd.deduce(facts(SIZE, shapes(head())))
    assert deduced is not None
    assert (deduced.family, deduced.classes, deduced.colour) == ("scrfd", 1, "RGB")
    assert deduced.keypoint_names == FIVE_POINTS
    assert (deduced.letterbox, deduced.mean, deduced.std) == ("top-left", (127.5,) * 3, (128.0,) * 3)


def test_a_file_for_any_size_is_recognised_by_the_shapes_it_declares_for_one() -> None:
    """InsightFace's det_10g takes any size and declares its outputs' shapes for 640x640."""
    declared = {f"{w}_{n}": (n, w) for w in (1, 4, 10) for n in (12800, 3200, 800)}
    assert Scrfd.deduce(facts((320, 320), declared)) is not None
    assert Scrfd.deduce(facts((0, 0), declared)) is not None


def test_without_points_the_rows_must_be_those_of_two_anchors_per_cell() -> None:
    outputs = shapes(head(has_points=False))
    deduced = Scrfd.deduce(facts(SIZE, outputs))
    assert deduced is not None
    assert deduced.keypoint_names == ()
    assert Scrfd.deduce(facts((64, 64), outputs)) is None
    halved = {name: (1, shape[1] // 2, shape[2]) for name, shape in outputs.items()}
    assert Scrfd.deduce(facts(SIZE, halved)) is None
    assert Scrfd.deduce(facts((0, 0), {name: (0, 0, shape[2]) for name, shape in outputs.items()})) is None
