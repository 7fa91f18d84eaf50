"""What Ultralytics' exporter writes into a model's metadata, read as a ModelSpec.

Facts: its Exporter writes `names`, `imgsz`, `stride`, `task` and more as text of Python values; its models
take RGB 0..1, letterboxed in the centre on 114. `end2end`, and `nms` among `args`, say that the graph
suppresses what overlaps; before 8.4 nothing said so of a YOLOv10. Classifiers take the middle of the picture,
or the stretched whole where their input isn't square, and give what a softmax gives; models for `semantic`
give a map of class numbers, or of 0 and 1 for a single class. RT-DETR takes the stretched whole. Of poses it
writes `kpt_shape` and, in newer versions, `kpt_names` class by class. YOLOv5's own exporter writes only
`names` and `stride`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from edge_engine.errors import ModelError
from edge_engine.models.facts import GraphFacts
from edge_engine.models.keypoints import COCO_KEYPOINTS
from edge_engine.models.sidecar import InputSidecar, Sidecar
from edge_engine.models.spec import InputSpec, Layout, ModelSpec, Task

_PREDICT_SCORE = 0.25
_PREDICT_IOU = 0.7
_TASKS: dict[str, tuple[Task, str]] = {
    "detect": ("detection", "yolov8"),
    "segment": ("instance-segmentation", "yolo_seg"),
    "pose": ("pose", "yolo_pose"),
    "classify": ("classification", "classifier"),
    "semantic": ("segmentation", "segmenter"),
}
Look = Callable[[Sidecar], GraphFacts]


def is_ultralytics(metadata: dict[str, str]) -> bool:
    return {"names", "imgsz", "task"} <= set(metadata)


def spec_of_ultralytics(path: Path, metadata: dict[str, str], layout: Layout, look: Look) -> ModelSpec:
    """ModelError when the metadata is damaged, or the task isn't one of ours. `look`: as in reading."""
    if metadata["task"] not in _TASKS:
        known = ", ".join(repr(task) for task in _TASKS)
        raise ModelError(
            f"{path}: an Ultralytics model for the task {metadata['task']!r}; so far {known} can be run"
        )
    names, size = _value(path, metadata, "names"), _value(path, metadata, "imgsz")
    try:
        height, width = (int(length) for length in size)
        labels = _in_order(names)
    except (TypeError, ValueError, KeyError):
        raise ModelError(
            f"{path}: its Ultralytics metadata has imgsz {size!r} and names {str(names)[:60]!r}; "
            "expected [height, width] and {0: name, …}; export the model again"
        ) from None
    task, family = _TASKS[metadata["task"]]
    spec = ModelSpec(
        name=path.stem,
        task=task,
        family=family,
        input=InputSpec(width, height, layout, "float32", "RGB", "centre", std=(255.0, 255.0, 255.0)),
        labels=labels,
        score_threshold=_PREDICT_SCORE,
        iou_threshold=_PREDICT_IOU,
        licence=metadata.get("license", ""),
        source=metadata.get("author", ""),
    )
    if task == "detection" and _is_rt_detr(metadata):
        return replace(spec, family="detr", input=replace(spec.input, letterbox="stretch"))
    if task == "detection":
        return replace(spec, family=_detector(path, metadata, spec, look))
    return _with_keypoints(path, metadata, spec) if task == "pose" else _of_the_whole_picture(spec)


def _is_rt_detr(metadata: dict[str, str]) -> bool:
    """Newer exports name the head, older ones describe the model."""
    return "rtdetr" in f"{metadata.get('head', '')} {metadata.get('description', '')}".lower()


def _detector(path: Path, metadata: dict[str, str], spec: ModelSpec, look: Look) -> str:
    """The family, by what the exporter says, else by the first output of three dimensions."""
    arguments = _value(path, metadata, "args") if "args" in metadata else {}
    if metadata.get("end2end") == "True" or (isinstance(arguments, dict) and arguments.get("nms") is True):
        return "end_to_end"
    if "end2end" in metadata:
        return "yolov8"
    picture = InputSidecar(width=spec.input.width, height=spec.input.height)
    shapes = [shape for shape in look(Sidecar(input=picture)).outputs.values() if len(shape) == 3]
    classes = len(spec.labels)
    if not shapes or shapes[0][1] == 4 + classes:
        return "yolov8"
    return {6: "end_to_end", 5 + classes: "yolov5"}.get(shapes[0][2], "yolov8")


def _of_the_whole_picture(spec: ModelSpec) -> ModelSpec:
    """What is different about classification and segmentation."""
    if spec.task == "classification":
        is_square = spec.input.width == spec.input.height
        picture = replace(spec.input, letterbox="crop" if is_square else "stretch")
        return replace(spec, input=picture, score_threshold=0.0, options={"activation": "none"})
    if spec.task == "segmentation" and len(spec.labels) == 1:
        return replace(spec, labels=("background", *spec.labels))
    return spec


def _with_keypoints(path: Path, metadata: dict[str, str], spec: ModelSpec) -> ModelSpec:
    """How many keypoints there are, how many numbers to each, and what they are called."""
    shape: Any = _value(path, metadata, "kpt_shape") if "kpt_shape" in metadata else None
    try:
        points, numbers = (int(length) for length in shape)
    except (TypeError, ValueError):
        raise ModelError(
            f"{path}: its Ultralytics metadata has kpt_shape {shape!r}; "
            "expected [keypoints, numbers], such as [17, 3]; export the model again"
        ) from None
    names = _keypoint_names(path, metadata, points)
    return replace(spec, keypoint_names=names, options={"keypoint_shape": [points, numbers]})


def _keypoint_names(path: Path, metadata: dict[str, str], points: int) -> tuple[str, ...]:
    """Those of the first class; without any, COCO's for its number of keypoints, and else none."""
    names = _value(path, metadata, "kpt_names") if "kpt_names" in metadata else None
    if isinstance(names, dict) and names:
        names = next(iter(names.values()))
    if isinstance(names, (list, tuple)) and len(names) == points:
        return tuple(str(name) for name in names)
    return COCO_KEYPOINTS if points == len(COCO_KEYPOINTS) else ()


def labels_of_yolov5(path: Path, metadata: dict[str, str]) -> tuple[str, ...]:
    """Those that YOLOv5's own exporter wrote, or one that descends from it (YOLOv9's); else none."""
    if not {"names", "stride"} <= set(metadata):
        return ()
    names = _value(path, metadata, "names")
    try:
        return _in_order(names)
    except (TypeError, KeyError):
        raise ModelError(
            f"{path}: its metadata has names {str(names)[:60]!r}; expected {{0: name, …}} or [name, …]"
        ) from None


def _in_order(names: Any) -> tuple[str, ...]:  # noqa: ANN401 - whatever the metadata holds
    """Of a list, or of a dict by number; TypeError or KeyError when it is neither."""
    return tuple(str(names[i]) for i in range(len(names)))


def _value(path: Path, metadata: dict[str, str], key: str) -> Any:  # noqa: ANN401
    try:
        return ast.literal_eval(metadata[key])
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise ModelError(
            f"{path}: its Ultralytics metadata has an unreadable {key}: {metadata[key][:60]!r}"
        ) from None
