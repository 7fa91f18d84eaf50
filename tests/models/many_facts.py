"""What graphs of many families show of themselves, to try each family's `deduce` on all the others'.

Shapes are those of the projects' published exports, 80 classes unless told.
"""

from __future__ import annotations

from edge_engine.models.facts import GraphFacts

Shapes = dict[str, tuple[int, ...]]


def facts(
    size: tuple[int, int],
    outputs: Shapes,
    side_inputs: Shapes | None = None,
    integers: tuple[str, ...] = (),
    **operators: int,
) -> GraphFacts:
    """Of a float NCHW model; `integers`: names of the outputs that are int64."""
    dtypes = {name: "int64" if name in integers else "float32" for name in outputs}
    return GraphFacts("x", "images", size, "NCHW", "float32", outputs, dtypes, side_inputs or {}, operators)


def gfl(widths: tuple[int, int], cells: list[int]) -> Shapes:
    """Scores of all strides, then distributions."""
    return {f"{width}_{count}": (1, count, width) for width in widths for count in cells}


NANODET = facts((416, 416), gfl((80, 32), [2704, 676, 169]))
NANODET_G = facts((416, 416), gfl((80, 44), [2704, 676, 169]))
NANODET_JOINED = facts((416, 416), {"scores": (1, 3549, 80), "distances": (1, 3549, 32)})
NANODET_PLUS = facts((416, 416), {"output": (1, 3598, 112)})
PICODET = facts((320, 320), gfl((80, 32), [1600, 400, 100, 25]))
PPYOLOE = facts((640, 640), {"boxes": (1, 8400, 4), "scores": (1, 80, 8400)}, Sigmoid=90)
PICODET_DECODED = facts((320, 320), {"scores": (1, 80, 2125), "boxes": (1, 2125, 4)}, Sigmoid=4)
PADDLE_NMS = facts(
    (640, 640), {"rows": (0, 6), "count": (1,)}, {"scale_factor": (1, 2)}, ("count",), NonMaxSuppression=1
)
PADDLE_RTDETR = facts(
    (640, 640),
    {"rows": (300, 6), "count": (1,)},
    {"im_shape": (1, 2), "scale_factor": (1, 2)},
    ("count",),
    GridSample=9,
)
TENSORFLOW = facts(
    (320, 320),
    {
        "detection_anchor_indices": (1, 100),
        "detection_boxes": (1, 100, 4),
        "detection_classes": (1, 100),
        "detection_multiclass_scores": (1, 100, 91),
        "detection_scores": (1, 100),
        "num_detections": (1,),
        "raw_detection_boxes": (1, 12804, 4),
        "raw_detection_scores": (1, 12804, 91),
    },
    NonMaxSuppression=90,
)
TORCHVISION = facts(
    (320, 320), {"512": (0, 4), "513": (0,), "514": (0,)}, integers=("513",), NonMaxSuppression=1
)
ZOO_SSD = facts(
    (1200, 1200),
    {"bboxes": (1, 0, 4), "labels": (1, 0), "scores": (1, 0)},
    integers=("labels",),
    NonMaxSuppression=1,
)
EFFICIENTDET = facts(
    (512, 512),
    {"regression": (1, 49104, 4), "classification": (1, 49104, 90), "anchors": (1, 49104, 4)},
    Sigmoid=130,
)
MOBILENET_SSD = facts((300, 300), {"scores": (1, 3000, 21), "boxes": (1, 3000, 4)}, Softmax=1, Relu=35)
CENTERNET = facts((512, 512), {"hm": (1, 80, 128, 128), "wh": (1, 2, 128, 128), "reg": (1, 2, 128, 128)})

OTHERS = {
    "yolov8": facts((640, 640), {"output0": (1, 84, 8400)}, Sigmoid=60),
    "yolov8 p6": facts((640, 640), {"output0": (1, 84, 8500)}, Sigmoid=60),
    "yolov8-seg": facts((640, 640), {"output0": (1, 116, 8400), "output1": (1, 32, 160, 160)}, Sigmoid=60),
    "yolov8-pose": facts((640, 640), {"output0": (1, 56, 8400)}, Sigmoid=60),
    "yolov5": facts((640, 640), {"output0": (1, 25200, 85)}, Sigmoid=60),
    "yolov5 p6": facts((640, 640), {"output0": (1, 25500, 85)}, Sigmoid=60),
    "yolov5 grids": facts(
        (640, 640), {str(side): (1, 3, side, side, 85) for side in (80, 40, 20)}, Sigmoid=60
    ),
    "yolox": facts((416, 416), {"output": (1, 3549, 85)}, Sigmoid=60),
    "end to end": facts((640, 640), {"output0": (1, 300, 6)}),
    "end to end, flat": facts((640, 640), {"output": (0, 7)}, NonMaxSuppression=1),
    "efficient nms": facts(
        (640, 640),
        {"num": (1, 1), "boxes": (1, 100, 4), "scores": (1, 100), "classes": (1, 100)},
        integers=("num", "classes"),
    ),
    "yolo-nas": facts((640, 640), {"boxes": (1, 8400, 4), "scores": (1, 8400, 80)}),
    "yolov6": facts((640, 640), {"outputs": (1, 8400, 85)}),
    "detr": facts((800, 800), {"logits": (1, 100, 92), "pred_boxes": (1, 100, 4)}, Softmax=18),
    "rt-detr, logits": facts((640, 640), {"logits": (1, 300, 80), "boxes": (1, 300, 4)}, GridSample=9),
    "rt-detr": facts(
        (640, 640),
        {"labels": (1, 300), "boxes": (1, 300, 4), "scores": (1, 300)},
        {"orig_target_sizes": (1, 2)},
        ("labels",),
        GridSample=9,
    ),
    "rf-detr": facts((560, 560), {"dets": (1, 300, 4), "labels": (1, 300, 91)}, GridSample=3),
    "retinanet": facts((512, 512), {"cls": (1, 49104, 80), "box": (1, 49104, 4)}, Relu=60, Sigmoid=1),
    "mask r-cnn": facts(
        (800, 800),
        {"boxes": (0, 4), "labels": (0,), "scores": (0,), "masks": (0, 1, 28, 28)},
        integers=("labels",),
        NonMaxSuppression=6,
    ),
    "yunet": facts(
        (320, 320),
        {
            f"{n}_{s}": (1, (320 // s) ** 2, w)
            for n, w in {"c": 1, "o": 1, "b": 4, "k": 10}.items()
            for s in (8, 16, 32)
        },
    ),
    "scrfd": facts((640, 640), {f"{w}_{c}": (c, w) for w in (1, 4) for c in (12800, 3200, 800)}),
    "ultraface": facts((320, 240), {"scores": (1, 4420, 2), "boxes": (1, 4420, 4)}, Softmax=1, Relu=30),
    "blazeface": facts((128, 128), {"regressors": (1, 896, 16), "classificators": (1, 896, 1)}),
    "centerface": facts(
        (640, 640), {str(n): (1, planes, 160, 160) for n, planes in enumerate((1, 2, 2, 10))}, Sigmoid=1
    ),
    "fastestdet": facts((352, 352), {"output": (1, 85, 22, 22)}),
    "yolo-fastest v2": facts((352, 352), {"output": (605, 95)}),
    "classifier": facts((224, 224), {"logits": (1, 1000)}),
    "classifier of 6": facts((224, 224), {"logits": (1, 6)}),
    "segmentation": facts((512, 512), {"out": (1, 21, 512, 512)}),
    "segmentation with help": facts((512, 512), {"out": (1, 2, 128, 128), "aux": (1, 2, 128, 128)}),
    "movenet": facts((192, 192), {"output": (1, 1, 17, 3)}),
    "heat maps": facts((192, 256), {"output": (1, 17, 64, 48)}),
    "simcc": facts((192, 256), {"simcc_x": (1, 17, 384), "simcc_y": (1, 17, 512)}),
    "nothing": facts((64, 64), {}),
    "unknown sizes": facts((640, 640), {"a": (0, 0, 0), "b": (0, 0, 0)}),
}

OURS = {
    "nanodet": [NANODET, NANODET_G, NANODET_JOINED, NANODET_PLUS],
    "picodet": [PICODET],
    "ppyoloe": [PPYOLOE, PICODET_DECODED],
    "paddle_nms": [PADDLE_NMS, PADDLE_RTDETR],
    "graph_nms": [TENSORFLOW, TORCHVISION, ZOO_SSD],
    "ssd": [EFFICIENTDET, MOBILENET_SSD],
    "centernet": [CENTERNET],
}
"""Of the families told from shapes with anchors, heat maps or suppression."""
