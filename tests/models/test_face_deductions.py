"""No face family claims the graph of another family, a face's or not."""

from __future__ import annotations

import pytest

from edge_engine.models.families import load_family
from tests.models.face_heads import Shapes, facts

FACES = ("blazeface", "scrfd", "ultralight", "yunet")

CELLS_640 = (6400, 1600, 400)
OTHERS: dict[str, tuple[tuple[int, int], Shapes]] = {
    "yolov8": ((640, 640), {"output0": (1, 84, 8400)}),
    "yolov8 of one class": ((640, 640), {"output0": (1, 5, 8400)}),
    "yolov8-pose": ((640, 640), {"output0": (1, 56, 8400)}),
    "yolov8-seg": ((640, 640), {"output0": (1, 116, 8400), "output1": (1, 32, 160, 160)}),
    "yolov5": ((640, 640), {"output": (1, 25200, 85)}),
    "yolov5 of twelve classes at 128": ((128, 128), {"output": (1, 1008, 17)}),
    "yolov5-face": ((640, 640), {"output": (1, 25200, 16)}),
    "yolox": ((416, 416), {"output": (1, 3549, 85)}),
    "end-to-end": ((640, 640), {"output0": (1, 300, 6)}),
    "detr": ((800, 800), {"logits": (1, 100, 92), "pred_boxes": (1, 100, 4)}),
    "rt-detr of two classes": ((640, 640), {"logits": (1, 300, 2), "boxes": (1, 300, 4)}),
    "nanodet of one class": (
        (640, 640),
        {f"{wide}_{cells}": (1, cells, wide) for wide in (1, 32) for cells in CELLS_640},
    ),
    "nanodet-plus": ((416, 416), {"output": (1, 3598, 112)}),
    "fcos of one class": (
        (640, 640),
        {f"{wide}_{cells}": (1, cells, wide) for wide in (1, 4) for cells in CELLS_640},
    ),
    "ssd of one class": ((300, 300), {"scores": (1, 3000, 2), "boxes": (1, 3000, 4)}),
    "retinaface": ((640, 640), {"loc": (1, 16800, 4), "conf": (1, 16800, 2), "landms": (1, 16800, 10)}),
    "palm detector": ((192, 192), {"regressors": (1, 2016, 18), "classificators": (1, 2016, 1)}),
    "classifier": ((224, 224), {"logits": (1, 1000)}),
    "classifier of seventeen": ((128, 128), {"logits": (1, 17)}),
    "segmentation": ((513, 513), {"logits": (1, 21, 513, 513)}),
    "movenet": ((192, 192), {"output": (1, 1, 17, 3)}),
    "nms within": ((300, 300), {"boxes": (1, 100, 4), "classes": (1, 100), "scores": (1, 100), "n": (1,)}),
    "nothing": ((320, 320), {}),
    "a number": ((320, 320), {"n": ()}),
}


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("family", FACES)
def test_another_familys_graph_is_not_claimed(family: str, name: str) -> None:
    size, outputs = OTHERS[name]
    assert load_family(family).deduce(facts(size, outputs)) is None


OWN: dict[str, tuple[tuple[int, int], Shapes]] = {
    "yunet": (
        (640, 640),
        {
            f"{kind}_{cells}": (1, cells, wide)
            for kind, wide in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10))
            for cells in CELLS_640
        },
    ),
    "scrfd": (
        (640, 640),
        {f"{wide}_{cells}": (cells * 2, wide) for wide in (1, 4, 10) for cells in CELLS_640},
    ),
    "ultralight": ((320, 240), {"scores": (1, 4420, 2), "boxes": (1, 4420, 4)}),
    "blazeface": ((128, 128), {"regressors": (1, 896, 16), "classificators": (1, 896, 1)}),
}


@pytest.mark.parametrize("name", FACES)
def test_a_face_detectors_graph_is_claimed_by_its_own_family_alone(name: str) -> None:
    size, outputs = OWN[name]
    assert [family for family in FACES if load_family(family).deduce(facts(size, outputs))] == [name]
