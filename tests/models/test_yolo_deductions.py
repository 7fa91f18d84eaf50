"""Which YOLO-like family claims a graph: each its own, and none what isn't sure to be one of theirs."""

from __future__ import annotations

import pytest

from edge_engine.models.facts import GraphFacts
from edge_engine.models.families import load_family
from tests.models.heads import facts

FAMILIES = ("end_to_end", "fastestdet", "yolofastest", "yolov5", "yolov8", "yolox")
WIDE = (640, 416)

OWN = [
    # As Ultralytics 8.4 exports them: v8 and 11, v12, v9, v10 and 26 without their own suppression.
    ("yolov8", 80, facts((1, 84, 8400), Sigmoid=58, Mul=58, Softmax=1, Split=8, Slice=2)),
    ("yolov8", 80, facts((1, 84, 5460), size=WIDE, Sigmoid=58, Softmax=1, Split=8, Slice=2)),
    ("yolov8", 3, facts((1, 7, 2100), size=(320, 320), Sigmoid=78, Softmax=2, Split=10, Slice=2)),
    ("yolov8", 80, facts((1, 84, 8400), Sigmoid=82, Softmax=9, Split=11, Slice=2)),
    ("yolov8", 80, facts((1, 84, 8400), Sigmoid=180, Softmax=1, Slice=18)),
    ("yolov8", 1, facts((1, 5, 34000), Sigmoid=70, Softmax=1, Split=8, Slice=2)),  # from stride 4 on
    ("yolov8", 80, facts((1, 84, 34000), size=(1280, 1280), Split=8, Slice=2)),  # up to stride 64
    ("yolov8", 80, facts((1, 84, 8400), (1, 144, 80, 80), (1, 144, 40, 40), Slice=2)),  # with feature maps
    # YOLOv5 and YOLOv7, of strides up to 32 or 64, with the raw maps of older exports, with one class.
    ("yolov5", 80, facts((1, 25200, 85), Sigmoid=60)),
    ("yolov5", 80, facts((1, 16380, 85), size=WIDE, Sigmoid=60)),
    ("yolov5", 2, facts((1, 102000, 7), size=(1280, 1280), Sigmoid=60)),
    ("yolov5", 80, facts((1, 25200, 85), *((1, 3, n, n, 85) for n in (80, 40, 20)), Sigmoid=60)),
    ("yolov5", 1, facts((1, 25200, 6), Sigmoid=60)),
    # YOLOX, raw, decoded and with one class.
    ("yolox", 80, facts((1, 3549, 85), size=(416, 416), Sigmoid=110, Mul=104, Slice=8)),
    ("yolox", 80, facts((1, 8400, 85), Sigmoid=110, Mul=106, Slice=11, Exp=1)),
    ("yolox", 1, facts((1, 8400, 6), Sigmoid=80, Slice=8)),
    # YOLOv10, YOLO26 and exports with suppression, which don't show their number of classes.
    ("end_to_end", 0, facts((1, 300, 6), Sigmoid=70, Softmax=2, TopK=2, Split=11)),
    ("end_to_end", 0, facts((1, 300, 6), size=WIDE, Sigmoid=58, NonMaxSuppression=1)),
    ("end_to_end", 0, facts((0, 7), Sigmoid=60, NonMaxSuppression=1)),  # nothing on an empty picture
    ("end_to_end", 0, facts((1, 100, 6), Sigmoid=88, TopK=2)),
    ("fastestdet", 80, facts((1, 85, 22, 22), size=(352, 352), Sigmoid=1, Softmax=1)),
    ("fastestdet", 1, facts((1, 6, 16, 32), size=(512, 256), Sigmoid=1, Softmax=1)),
    ("yolofastest", 80, facts((605, 95), size=(352, 352), Sigmoid=4, Softmax=2)),
    ("yolofastest", 80, facts((1, 605, 95), size=(352, 352), Sigmoid=4, Softmax=2)),
    ("yolofastest", 2, facts((1, 22, 22, 17), (1, 11, 11, 17), size=(352, 352), Sigmoid=4, Softmax=2)),
]
OTHERS = {
    "pose": facts((1, 56, 8400), Sigmoid=65, Softmax=1, Split=8, Slice=4),
    "pose end to end": facts((1, 300, 57), Sigmoid=65, TopK=2),
    "instance segmentation": facts((1, 116, 8400), (1, 32, 160, 160), Split=8, Slice=2),
    "YOLOv5's instance segmentation": facts((1, 25200, 117), (1, 32, 160, 160), Sigmoid=60),
    "oriented boxes": facts((1, 20, 21504), size=(1024, 1024), Split=10, Cos=1, Sin=1),
    "oriented boxes end to end": facts((1, 300, 7), TopK=2),
    "NanoDet's strides": facts(
        *((1, n, c) for c in (80, 44) for n in (2704, 676, 169)), size=(416, 416), Sigmoid=3
    ),
    "NanoDet's strides in one": facts((1, 3549, 124), size=(416, 416), Sigmoid=3, Split=3),
    "NanoDet-Plus": facts((1, 3598, 112), size=(416, 416), Sigmoid=4),
    "YOLOv6": facts((1, 8400, 85), Sigmoid=3, Relu=60, Split=1),
    "DETR": facts((1, 300, 4), (1, 300, 80), Sigmoid=9, TopK=1, GridSample=18),
    "RT-DETR of two classes": facts((1, 300, 6), Sigmoid=9, TopK=1, GridSample=18),
    "rows of a RoI head": facts((100, 7), Sigmoid=9, TopK=1),
    "rows nobody picked": facts((1, 300, 6), Sigmoid=9),
    "boxes of YOLOv3's darknet": facts((1, 25200, 85), Exp=3),
    "YOLOv3's maps": facts(*((1, 255, n, n) for n in (80, 40, 20))),
    "YOLOv4-tiny's maps": facts((1, 22, 22, 255), (1, 11, 11, 255), size=(352, 352)),
    "UltraLight's faces": facts((1, 4420, 2), (1, 4420, 4), size=(320, 240), Softmax=1),
    "YuNet's faces": facts(*((1, n, c) for c in (1, 1, 4, 10) for n in (1600, 400, 100)), size=(320, 320)),
    "a classifier": facts((1, 1000), size=(224, 224), Sigmoid=16, Softmax=1),
    "a segmentation": facts((1, 21, 520, 520), size=(520, 520), Sigmoid=1, Softmax=1),
    "a segmentation of stride 16": facts((1, 21, 32, 32), size=(512, 512), Softmax=1),
    "a segmentation with its pixels last": facts((1, 257, 257, 21), size=(257, 257)),
    "heatmaps": facts((1, 80, 160, 160), (1, 2, 160, 160), (1, 2, 160, 160), Sigmoid=1),
    "MoveNet": facts((1, 1, 17, 3), size=(192, 192), Sigmoid=1, TopK=1),
    "nothing": facts(),
}


def claims(graph: GraphFacts) -> list[tuple[str, int]]:
    found = [load_family(name).deduce(graph) for name in FAMILIES]
    return [(claim.family, claim.classes) for claim in found if claim is not None]


@pytest.mark.parametrize(("family", "classes", "graph"), OWN)
def test_a_family_alone_claims_its_own(family: str, classes: int, graph: GraphFacts) -> None:
    assert claims(graph) == [(family, classes)]


@pytest.mark.parametrize(
    ("family", "graph"),
    [
        ("yolov8", facts((1, 84, 8400), Split=8, Slice=30)),
        ("yolov5", facts((1, 8400, 85), Sigmoid=3)),  # a YOLOv6
        ("yolox", facts((1, 8400, 85), Sigmoid=110, Softmax=1)),
        ("end_to_end", facts((1, 300, 6), Sigmoid=9)),
        ("fastestdet", facts((1, 85, 22, 22), size=(352, 352), HardSigmoid=1)),
        ("yolofastest", facts((605, 95), size=(352, 352), Sigmoid=9)),
    ],
)
def test_one_that_a_person_names_needs_only_its_shapes(family: str, graph: GraphFacts) -> None:
    assert load_family(family).deduce(graph) is None
    found = load_family(family).deduce(graph._replace(is_named=True))
    assert found is not None
    assert found.family == family


@pytest.mark.parametrize("name", OTHERS)
def test_none_claims_what_others_give(name: str) -> None:
    assert claims(OTHERS[name]) == []
