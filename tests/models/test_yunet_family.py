"""YuNet's twelve outputs become the faces and points that the plain numpy reference finds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_engine.errors import ModelError
from edge_engine.models.families import load_family
from edge_engine.models.families.faces import FIVE_POINTS
from edge_engine.models.families.yunet import YuNet
from edge_engine.models.model import Model
from edge_engine.result import Objects
from tests.models.face_heads import Outputs, assert_same, facts, headed, merged, run, shapes, spec
from tests.reference.faces import Faces, yunet_reference

SIZE = (104, 72)  # no multiple of 16 or 32: the grids are rounded up
GRIDS = {8: (13, 9), 16: (7, 5), 32: (4, 3)}
SPEC = spec("yunet", SIZE)


def head(seed: int = 0) -> Outputs:
    """In the order of OpenCV's files; random boxes and points."""
    rng = np.random.default_rng(seed)
    cells = {stride: width * height for stride, (width, height) in GRIDS.items()}
    parts: Outputs = {}
    for name, wide in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)):
        for stride, n in cells.items():
            values = rng.uniform(0, 1.05, (1, n, 1)) if wide == 1 else rng.normal(size=(1, n, wide))
            parts[f"{name}_{stride}"] = values.astype(np.float32)
    return parts


def reference(outputs: Outputs, score: float, iou: float) -> Faces:
    parts, first = [], 0
    for stride, (width, height) in GRIDS.items():
        arrays = [outputs[f"{name}_{stride}"][0] for name in ("cls", "obj", "bbox", "kps")]
        flat = [arrays[0][:, 0], arrays[1][:, 0], *arrays[2:]]
        parts.append(yunet_reference(*flat, width, stride, first, score))
        first += width * height
    return merged(parts, iou)


def decode(outputs: Outputs, score: float = 0.5, iou: float = 0.3) -> Objects:
    found = YuNet(SPEC, shapes(outputs))(list(outputs.values()), score, iou)
    assert isinstance(found, Objects)
    return found


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("score", "iou"), [(0.5, 0.3), (0.0, 0.6), (0.8, 0.3), (0.3, 1.0)])
def test_finds_what_the_reference_finds(seed: int, score: float, iou: float) -> None:
    outputs = head(seed)
    found = decode(outputs, score, iou)
    assert len(found) > 3
    assert_same(found, reference(outputs, score, iou))


def test_the_order_of_the_outputs_makes_no_difference() -> None:
    outputs = head()
    names = sorted([*outputs, "features"], key=lambda name: name[::-1])
    shuffled = {**outputs, "features": np.zeros((1, 64, 9, 13), np.float32)}
    found = decode({name: shuffled[name] for name in names})
    assert_same(found, reference(outputs, 0.5, 0.3))


def test_a_model_file_finds_what_the_reference_finds(tmp_path: Path) -> None:
    model = Model(headed(tmp_path / "yunet.onnx", SPEC, head()))
    assert load_family("yunet") is type(model.decoder)
    for value in (20, 250):
        outputs, found = run(model, value)
        assert len(found) > 3
        assert_same(found, reference(outputs, 0.5, 0.3))


def test_frames_do_not_share_their_faces() -> None:
    first, second = head(1), head(2)
    decoder = YuNet(SPEC, shapes(first))
    found = decoder(list(first.values()), 0.5, 0.3)
    decoder(list(second.values()), 0.5, 0.3)
    assert_same(found, reference(first, 0.5, 0.3))


def test_nothing_above_the_threshold_gives_no_faces() -> None:
    found = decode(head(), score=1.01)
    assert len(found) == 0
    assert found.keypoints is not None
    assert found.keypoints.shape == (0, 5, 3)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["cls", "obj", "bbox", "kps"])
def test_what_is_no_finite_number_gives_no_faces(value: float, name: str) -> None:
    outputs = {each: np.full_like(o, value) if each.startswith(name) else o for each, o in head().items()}
    found = decode(outputs, score=0.0, iou=1.0)
    # exp(-inf) is a side of 0, which is none.
    assert len(found) == 0


def test_a_face_with_points_that_are_no_numbers_is_left_out() -> None:
    outputs = head()
    before = decode(outputs)
    row = int(reference(outputs, 0.5, 0.3).rows[0])
    assert row < 13 * 9
    outputs["kps_8"][0, row, 3] = np.nan
    np.testing.assert_array_equal(decode(outputs).boxes_xyxy, before.boxes_xyxy[1:])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cls_8": (1, 116, 1)}, r"two outputs \[1, 117, 1\]"),
        ({"kps_32": (1, 12, 8)}, "three 10 wide"),
        ({"cls_8": (2, 117, 1)}, "six outputs"),
        ({"more": (1, 117, 1)}, "six outputs"),
    ],
)
def test_outputs_that_do_not_fit_are_one_line(changes: dict[str, tuple[int, ...]], message: str) -> None:
    with pytest.raises(ModelError, match=message) as raised:
        YuNet(SPEC, shapes(head()) | changes)
    assert "\n" not in str(raised.value)


def test_one_label_and_five_keypoint_names_or_none_are_expected() -> None:
    with pytest.raises(ModelError, match="3 labels"):
        YuNet(spec("yunet", SIZE, labels=3), shapes(head()))


def test_its_graph_is_recognised() -> None:
    deduced = YuNet.deduce(facts(SIZE, shapes(head())))
    assert deduced is not None
    assert (deduced.family, deduced.classes, deduced.colour) == ("yunet", 1, "BGR")
    assert deduced.keypoint_names == FIVE_POINTS
    assert (deduced.letterbox, deduced.mean, deduced.std) == ("top-left", (0.0,) * 3, (1.0,) * 3)


def test_free_dimensions_do_not_hide_it() -> None:
    free = {name: (0, 0, shape[2]) for name, shape in shapes(head()).items()}
    assert YuNet.deduce(facts(SIZE, free)) is not None
