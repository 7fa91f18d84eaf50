"""What the outputs of well-known models look like: nobody but their own family may claim them."""

from __future__ import annotations

from edge_engine.models.facts import GraphFacts, Shape

SIZE = (640, 480)
CELLS = 80 * 60 + 40 * 30 + 20 * 15

OTHERS: dict[str, dict[str, Shape]] = {
    "yolov8": {"output0": (1, 84, CELLS)},
    "yolov8 of one class": {"output0": (1, 5, CELLS)},
    "yolov5": {"output0": (1, 3 * CELLS, 85)},
    "yolov5 of 52 classes": {"output0": (1, 3 * CELLS, 57)},
    "yolox": {"output": (1, CELLS, 85)},
    "end-to-end": {"output0": (1, 300, 6)},
    "detr": {"logits": (1, 100, 92), "pred_boxes": (1, 100, 4)},
    "rt-detr": {"output0": (1, 300, 84)},
    "nanodet": {"output": (1, CELLS, 112)},
    "nanodet in two": {"scores": (1, CELLS, 80), "distances": (1, CELLS, 32)},
    "a classifier": {"logits": (1, 1000)},
    "segmentation": {"logits": (1, 21, 480, 640)},
    "segmentation at a quarter": {"logits": (1, 32, 120, 160)},
    "two of segmentation": {"main": (1, 21, 120, 160), "side": (1, 21, 120, 160)},
    "faces": {"boxes": (1, CELLS, 4), "scores": (1, CELLS, 1), "points": (1, CELLS, 10)},
    "yolo-seg": {"output0": (1, 116, CELLS), "output1": (1, 32, 120, 160)},
    "yolov5-seg": {"output0": (1, 3 * CELLS, 117), "output1": (1, 32, 120, 160)},
    "end-to-end yolo-seg": {"output0": (1, 300, 38), "output1": (1, 32, 120, 160)},
    "yolo-pose": {"output0": (1, 56, CELLS)},
    "end-to-end pose": {"output0": (1, 300, 57)},
    "movenet": {"output_0": (1, 1, 17, 3)},
    "movenet multipose": {"output_0": (1, 6, 56)},
    "none": {},
}


OPERATORS = {"Conv": 60, "Split": 8, "Slice": 7, "TopK": 2}


def facts(
    outputs: dict[str, Shape],
    size: tuple[int, int] = SIZE,
    operators: dict[str, int] = OPERATORS,
) -> GraphFacts:
    dtypes = dict.fromkeys(outputs, "float32")
    return GraphFacts("model", "images", size, "NCHW", "float32", outputs, dtypes, {}, operators)
