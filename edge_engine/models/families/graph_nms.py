"""Detectors with suppression in the graph whose boxes, scores and classes are outputs of their own.

TensorFlow's object detection models (SSD, EfficientDet, …): detection_boxes [1, n, 4], top, left, bottom,
right, 0..1; detection_scores and detection_classes [1, n], counted from 1; num_detections. The same of
TensorFlow Lite, TFLite_Detection_PostProcess and its :1 to :3, with classes from 0. torchvision's: boxes
[n, 4], left, top, right, bottom in input pixels, labels [n], 0 the background, scores [n], in this order of
the sides also [1, n, …] and 0..1, as in the ONNX model zoo's SSD. n may differ from picture to picture.

Options: `boxes`, `scores`, `classes`, names of the outputs; `box_order`, "xyxy" or "yxyx"; `is_normalised`,
whether boxes are 0..1; `first_class`, the graph's number of the first label. Without them TensorFlow's names
and torchvision's are known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_engine.errors import ModelError
from edge_engine.models.facts import Deduction, GraphFacts
from edge_engine.models.families.limits import Limits
from edge_engine.models.families.outputs import misfit
from edge_engine.models.families.suppressed import best_objects
from edge_engine.models.spec import ModelSpec
from edge_engine.result import Objects

Shapes = dict[str, tuple[int, ...]]


class Names(NamedTuple):
    boxes: str
    scores: str
    classes: str


_TENSORFLOW = Names("detection_boxes", "detection_scores", "detection_classes")
_LITE = "TFLite_Detection_PostProcess"
_TFLITE = Names(_LITE, f"{_LITE}:2", f"{_LITE}:1")
_PLAIN = [
    Names(boxes, "scores", classes) for boxes in ("boxes", "bboxes") for classes in ("labels", "classes")
]


class GraphNms:
    def __init__(self, spec: ModelSpec, output_shapes: Shapes) -> None:
        names = list(output_shapes)
        self._boxes, self._scores, self._class_ids = (names.index(n) for n in self.reads(spec, output_shapes))
        options = _options(spec)
        self._sides = [1, 0, 3, 2] if options["box_order"] == "yxyx" else [0, 1, 2, 3]
        size = (spec.input.width, spec.input.height)
        self._scale = np.array(size * 2 if options["is_normalised"] else (1,) * 4, np.float32)
        self._first = options["first_class"]
        self._limits = Limits(spec)

    @staticmethod
    def reads(spec: ModelSpec, output_shapes: Shapes) -> list[str]:
        """The outputs of boxes, scores and classes."""
        named = {key: spec.options[key] for key in Names._fields if key in spec.options}
        found = Names(**named) if len(named) == 3 else _known(list(output_shapes))
        if found is None or not set(found) <= output_shapes.keys():
            raise misfit(
                spec, "graph_nms", output_shapes, "expected options boxes, scores and classes to name outputs"
            )
        boxes, *others = (output_shapes[name] for name in found)
        if len(boxes) < 2 or boxes[-1] != 4 or any(np.prod(o) != np.prod(boxes[:-1]) for o in others):
            raise misfit(
                spec,
                "graph_nms",
                output_shapes,
                "expected boxes [1, n, 4] or [n, 4], as many scores and classes",
            )
        return list(found)

    @staticmethod
    def deduce(facts: GraphFacts) -> Deduction | None:
        """By TensorFlow's names, or by shapes and types where suppression is among the operators.

        How many classes there are can't be seen: 0.
        """
        if facts.side_inputs:
            return None
        names = list(facts.outputs)
        for known, first_class in ((_TENSORFLOW, 1), (_TFLITE, 0)):
            found = _match(known, names)
            if found is not None:
                options = {"box_order": "yxyx", "is_normalised": True, "first_class": first_class}
                return _deduction(found, options, std=1.0)
        found = _by_shape(facts) if facts.operators.get("NonMaxSuppression", 0) else None
        if found is None:
            return None
        is_zoos = len(facts.outputs[found.boxes]) == 3
        options = {"box_order": "xyxy", "is_normalised": is_zoos, "first_class": 1}
        return _deduction(found, options, std=255.0)

    def __call__(
        self, outputs: Sequence[NDArray[Any]], score_threshold: float, iou_threshold: float
    ) -> Objects:
        """`iou_threshold` has no say: the graph has one of its own."""
        boxes = outputs[self._boxes].reshape(-1, 4)[:, self._sides] * self._scale
        class_ids = outputs[self._class_ids].reshape(-1) - self._first
        scores = outputs[self._scores].reshape(-1)
        return best_objects(boxes, scores, class_ids, self._limits, score_threshold)


def _deduction(names: Names, options: dict[str, Any], std: float) -> Deduction:
    return Deduction(
        "graph_nms",
        "detection",
        0,
        std=(std,) * 3,
        score_threshold=0.5,
        iou_threshold=1.0,
        options=names._asdict() | options,
    )


def _options(spec: ModelSpec) -> dict[str, Any]:
    """With what is usual for the names where none are given. ModelError."""
    is_tensorflows = "boxes" not in spec.options
    usual = {
        "box_order": "yxyx" if is_tensorflows else "xyxy",
        "is_normalised": is_tensorflows,
        "first_class": 1,
    }
    options = usual | spec.options
    allowed: dict[str, tuple[str, Any]] = {
        "box_order": ("xyxy or yxyx", options["box_order"] in ("xyxy", "yxyx")),
        "is_normalised": ("true or false", isinstance(options["is_normalised"], bool)),
        "first_class": ("a whole number such as 0 or 1", type(options["first_class"]) is int),
    }
    for key, (expected, is_allowed) in allowed.items():
        if not is_allowed:
            raise ModelError(f"model {spec.name}: option {key} is {options[key]!r}; expected {expected}")
    return options


def _known(names: list[str]) -> Names | None:
    for known in (_TENSORFLOW, _TFLITE, *_PLAIN):
        found = _match(known, names)
        if found is not None:
            return found
    return None


def _match(known: Names, names: list[str]) -> Names | None:
    """The outputs of these names, which may end in TensorFlow's :0."""
    wholes = {name.removesuffix(":0"): name for name in names}
    return Names(*(wholes[name] for name in known)) if set(known) <= wholes.keys() else None


def _by_shape(facts: GraphFacts) -> Names | None:
    """Three outputs: boxes, of one dimension less floating scores and whole classes."""
    boxes = [name for name, shape in facts.outputs.items() if len(shape) in (2, 3) and shape[-1] == 4]
    if len(facts.outputs) != 3 or len(boxes) != 1:
        return None
    rest = [name for name in facts.outputs if name not in boxes]
    classes = [name for name in rest if "int" in facts.output_dtypes[name]]
    scores = [name for name in rest if "float" in facts.output_dtypes[name]]
    if len(classes) != 1 or len(scores) != 1:
        return None
    if any(facts.outputs[name] != facts.outputs[boxes[0]][:-1] for name in rest):
        return None
    return Names(boxes[0], scores[0], classes[0])
