"""What Ultralytics' exporter writes into a model's metadata, read as a ModelSpec.

Facts: its Exporter writes `names`, `imgsz`, `stride`, `task` and more as text of Python values; its models
take RGB 0..1, letterboxed in the centre on 114. Classifiers take the middle of the picture instead, or the
stretched whole where their input isn't square, and give what a softmax gives; models for `semantic` give a
map of class numbers, or of 0 and 1 for a single class.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any, Literal

from msgspec.structs import replace

from edge_engine.errors import ModelError
from edge_engine.models.spec import InputSpec, ModelSpec, Task

_PREDICT_SCORE = 0.25
_PREDICT_IOU = 0.7
_TASKS: dict[str, tuple[Task, str]] = {
    "detect": ("detection", "yolov8"),
    "classify": ("classification", "classifier"),
    "semantic": ("segmentation", "segmenter"),
}


def is_ultralytics(metadata: dict[str, str]) -> bool:
    return {"names", "imgsz", "task"} <= set(metadata)


def spec_of_ultralytics(path: Path, metadata: dict[str, str], layout: Literal["NHWC", "NCHW"]) -> ModelSpec:
    """ModelError when the metadata is damaged, or the task isn't one of ours."""
    if metadata["task"] not in _TASKS:
        known = ", ".join(repr(task) for task in _TASKS)
        raise ModelError(
            f"{path}: an Ultralytics model for the task {metadata['task']!r}; so far {known} can be run"
        )
    names, size = _value(path, metadata, "names"), _value(path, metadata, "imgsz")
    try:
        height, width = (int(length) for length in size)
        labels = tuple(str(names[i]) for i in range(len(names)))
    except (TypeError, ValueError, KeyError):
        raise ModelError(
            f"{path}: its Ultralytics metadata has imgsz {size!r} and names {str(names)[:60]!r}; "
            "expected [height, width] and {0: name, …}; export the model again"
        ) from None
    task, family = _TASKS[metadata["task"]]
    picture = InputSpec(width, height, layout, "float32", "RGB", "centre", std=(255.0, 255.0, 255.0))
    spec = ModelSpec(
        name=path.stem,
        task=task,
        family=family,
        input=picture,
        labels=labels,
        score_threshold=_PREDICT_SCORE,
        iou_threshold=_PREDICT_IOU,
        licence=metadata.get("license", ""),
        source=metadata.get("author", ""),
    )
    return _of_the_whole_picture(spec)


def _of_the_whole_picture(spec: ModelSpec) -> ModelSpec:
    """What is different about classification and segmentation."""
    if spec.task == "classification":
        is_square = spec.input.width == spec.input.height
        picture = replace(spec.input, letterbox="crop" if is_square else "stretch")
        return replace(spec, input=picture, score_threshold=0.0, options={"activation": "none"})
    if spec.task == "segmentation" and len(spec.labels) == 1:
        return replace(spec, labels=("background", *spec.labels))
    return spec


def _value(path: Path, metadata: dict[str, str], key: str) -> Any:  # noqa: ANN401
    try:
        return ast.literal_eval(metadata[key])
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise ModelError(
            f"{path}: its Ultralytics metadata has an unreadable {key}: {metadata[key][:60]!r}"
        ) from None
