"""families: one file per model family, how its outputs become objects; loaded when first asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from edge_engine.errors import ModelError

if TYPE_CHECKING:
    from edge_engine.models.families.family import Decoder

FAMILIES = {
    "blazeface": "blazeface:BlazeFace",
    "centernet": "centernet:CenterNet",
    "classifier": "classifier:Classifier",
    "detr": "detr:Detr",
    "end_to_end": "end_to_end:EndToEnd",
    "fastestdet": "fastestdet:FastestDet",
    "graph_nms": "graph_nms:GraphNms",
    "movenet": "movenet:MoveNet",
    "nanodet": "nanodet:NanoDet",
    "paddle_nms": "paddle_nms:PaddleNms",
    "picodet": "picodet:PicoDet",
    "ppyoloe": "ppyoloe:PpYoloe",
    "scrfd": "scrfd:Scrfd",
    "segmenter": "segmenter:Segmenter",
    "ssd": "ssd:Ssd",
    "tagger": "tagger:Tagger",
    "ultralight": "ultralight:UltraLight",
    "yolo_pose": "yolo_pose:YoloPose",
    "yolo_seg": "yolo_seg:YoloSeg",
    "yolofastest": "yolofastest:YoloFastest",
    "yolov5": "yolov5:YoloV5",
    "yolov8": "yolov8:YoloV8",
    "yolox": "yolox:YoloX",
    "yunet": "yunet:YuNet",
}

ON_GRIDS = {
    "centernet",
    "end_to_end",
    "fastestdet",
    "nanodet",
    "picodet",
    "ppyoloe",
    "scrfd",
    "yolo_pose",
    "yolo_seg",
    "yolofastest",
    "yolov5",
    "yolov8",
    "yolox",
    "yunet",
}
"""Those that look at the cells of grids over their input, and answer in its pixels: rows can be left out."""


def load_family(name: str) -> type[Decoder]:
    """The decoder class. Loads its kernels; `kernels.warm_up`, called first, says if they compile."""
    if name not in FAMILIES:
        raise ModelError(f"model family {name!r} is unknown; known families: {', '.join(sorted(FAMILIES))}")
    module, attribute = FAMILIES[name].split(":")
    family: type[Decoder] = getattr(import_module(f"{__name__}.{module}"), attribute)
    return family
