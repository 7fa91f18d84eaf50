"""SSD (arXiv:1512.02325) and EfficientDet (arXiv:1911.09070) without post-processing in the graph.

Class scores [1, n, classes], with or without a column for the background, and boxes [1, n, 4], n anchors:
stride by stride, cells row by row, a cell's anchors side by side. Where the graph has suppressed boxes, the
model is of the graph_nms family.

Options: `box_format`, "offsets" from anchors (the default), or "normalised" for boxes that the graph has
decoded to left, top, right, bottom of 0..1, as pytorch-ssd and jetson-inference have them. `activation`,
what still makes scores of the values: "softmax" (the default), "sigmoid" or "none". `background`: "first"
(the default) or "last", where there is a column more than labels. For offsets: `offset_order`, "xywh" or
"yxhw"; `variances`, [0.1, 0.1, 0.2, 0.2] in that order unless told; and the anchors, told in anchors.py.
`scores` and `boxes`, names of those outputs, are needed only when both are four wide.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_engine.errors import ModelError
from edge_engine.kernels.anchors import Activation, decode_anchors
from edge_engine.models.facts import Deduction, GraphFacts
from edge_engine.models.families.anchors import is_positive, make_anchors
from edge_engine.models.families.candidates import Candidates
from edge_engine.models.families.gfl_head import cells_of
from edge_engine.models.families.normalising import IMAGENET_MEAN, IMAGENET_STD
from edge_engine.models.families.outputs import misfit
from edge_engine.models.spec import ModelSpec
from edge_engine.result import Objects

Shapes = dict[str, tuple[int, ...]]

_ACTIVATIONS = {"none": Activation.NONE, "sigmoid": Activation.SIGMOID, "softmax": Activation.SOFTMAX}
_CHOICES = {
    "box_format": ("offsets", "normalised"),
    "activation": tuple(_ACTIVATIONS),
    "background": ("first", "last"),
    "offset_order": ("xywh", "yxhw"),
}
_USUAL = {"box_format": "offsets", "activation": "softmax", "background": "first", "offset_order": "xywh"}
_VARIANCES = [0.1, 0.1, 0.2, 0.2]
# EfficientDet's anchors: hparams_config.py and anchors.py of google/automl.
_EFFICIENTDET_STRIDES = [8, 16, 32, 64, 128]
_EFFICIENTDET_SHAPES = [(1.0, 1.0), (1.4, 0.7), (0.7, 1.4)]
_MANY_SIGMOIDS = 20
# SSD-MobileNet of pytorch-ssd: six anchors for each cell of grids of 19, 10, 5, 3, 2 and 1, for 300 pixels.
_MOBILENET_SIZE, _MOBILENET_ANCHORS = (300, 300), 3000


class Ssd:
    def __init__(self, spec: ModelSpec, output_shapes: Shapes) -> None:
        scores, boxes = self.reads(spec, output_shapes)
        names = list(output_shapes)
        self._scores, self._boxes = names.index(scores), names.index(boxes)
        options = _options(spec)
        self._activation = _ACTIVATIONS[options["activation"]]
        _, number, columns = output_shapes[scores]
        has_background = columns == len(spec.labels) + 1
        self._background = (0 if options["background"] == "first" else columns - 1) if has_background else -1
        self._is_yxhw = options["offset_order"] == "yxhw"
        self._is_normalised = options["box_format"] == "normalised"
        self._size = np.array([spec.input.width, spec.input.height] * 2, np.float32)
        self._variances = _variances(spec)
        if self._is_normalised:  # each box is then its own anchor
            self._no_offsets = np.zeros((number, 4), np.float32)
            self._anchors = self._no_offsets
        else:
            self._anchors = make_anchors(spec, number)
        self._candidates = Candidates(spec)

    @staticmethod
    def reads(spec: ModelSpec, output_shapes: Shapes) -> list[str]:
        """The scores' output and the boxes'."""
        classes = len(spec.labels)
        options = spec.options
        three = {name: shape for name, shape in output_shapes.items() if len(shape) == 3 and shape[0] == 1}
        pairs = [
            [scores, boxes]
            for scores, shape in three.items()
            for boxes in three
            if shape[2] in (classes, classes + 1) and three[boxes] == (1, shape[1], 4) and boxes != scores
            if scores == options.get("scores", scores) and boxes == options.get("boxes", boxes)
        ]
        if len(pairs) != 1:
            wide = f"scores [1, n, {classes}] or [1, n, {classes + 1}] for {classes} labels"
            named = "if need be named by the options scores and boxes"
            raise misfit(spec, "ssd", output_shapes, f"expected {wide} and boxes [1, n, 4], {named}")
        return pairs[0]

    @staticmethod
    def deduce(facts: GraphFacts) -> Deduction | None:
        """EfficientDet, of which scores come after the sigmoid, and pytorch-ssd's SSD-MobileNet.

        Of other heads a graph doesn't show what their anchors are.
        """
        found = _sort(facts.outputs)
        if found is None:
            return None
        scores, boxes = found
        _, number, columns = facts.outputs[scores]
        names = {"scores": scores, "boxes": boxes}
        operators = facts.operators
        per_cell = 3 * len(_EFFICIENTDET_SHAPES)
        if number == per_cell * sum(cells_of(facts.size, _EFFICIENTDET_STRIDES)) and columns > 0:
            is_swish = operators.get("Sigmoid", 0) >= _MANY_SIGMOIDS and not operators.get("Relu", 0)
            return _efficientdet(columns, names) if is_swish else None
        if facts.size == _MOBILENET_SIZE and number == _MOBILENET_ANCHORS and columns > 1:
            return _mobilenet(columns - 1, names) if operators.get("Softmax", 0) else None
        return None

    def __call__(
        self, outputs: Sequence[NDArray[Any]], score_threshold: float, iou_threshold: float
    ) -> Objects:
        found = self._candidates
        scores, offsets = outputs[self._scores][0], outputs[self._boxes][0]
        anchors = self._anchors
        if self._is_normalised:
            anchors, offsets = _to_anchors(offsets * self._size), self._no_offsets
        into = found.boxes_xyxy, found.scores, found.class_ids
        head = self._variances, self._activation, self._background, self._is_yxhw
        count = decode_anchors(scores, offsets, anchors, *head, found.lowest(score_threshold), *into, 0)
        return found.suppress(count, score_threshold, iou_threshold)


def _sort(outputs: Shapes) -> tuple[str, str] | None:
    """Names of the scores and the boxes, one each; what is four wide may also be scores, or anchors."""
    three = {name: shape for name, shape in outputs.items() if len(shape) == 3 and "anchor" not in name}
    boxes = [name for name, shape in three.items() if shape[2] == 4]
    if len(boxes) > 1:
        boxes = [name for name in boxes if "box" in name or "regression" in name]
    scores = [name for name in three if name not in boxes]
    if len(boxes) != 1 or len(scores) != 1:
        return None
    (score_shape, box_shape) = three[scores[0]], three[boxes[0]]
    is_pair = score_shape[:2] == box_shape[:2] and box_shape[0] in (0, 1)
    return (scores[0], boxes[0]) if is_pair else None


def _to_anchors(boxes_xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
    """Centre x, centre y, width, height [n, 4]."""
    corners, others = boxes_xyxy[:, :2], boxes_xyxy[:, 2:]
    with np.errstate(invalid="ignore"):  # what is infinite becomes NaN, and no object
        return np.concatenate([(corners + others) / 2, others - corners], axis=1)


def _efficientdet(classes: int, names: dict[str, str]) -> Deduction:
    """As Yet-Another-EfficientDet-Pytorch exports it."""
    scales = [4 * 2 ** (octave / 3) for octave in range(3)]
    anchors = [
        [[stride * scale * x, stride * scale * y] for scale in scales for x, y in _EFFICIENTDET_SHAPES]
        for stride in _EFFICIENTDET_STRIDES
    ]
    options = names | {
        "activation": "none",
        "offset_order": "yxhw",
        "variances": [1.0] * 4,
        "strides": list(_EFFICIENTDET_STRIDES),
        "anchors": anchors,
    }
    return Deduction(
        "ssd",
        "detection",
        classes,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        letterbox="top-left",
        score_threshold=0.4,
        iou_threshold=0.5,
        options=options,
    )


def _mobilenet(classes: int, names: dict[str, str]) -> Deduction:
    """As pytorch-ssd and jetson-inference export it, with the softmax and the boxes in the graph."""
    return Deduction(
        "ssd",
        "detection",
        classes,
        mean=(127.0,) * 3,
        std=(128.0,) * 3,
        score_threshold=0.5,
        iou_threshold=0.45,
        options=names | {"box_format": "normalised", "activation": "none", "background": "first"},
    )


def _options(spec: ModelSpec) -> dict[str, Any]:
    options = _USUAL | spec.options
    for key, choices in _CHOICES.items():
        if options[key] not in choices:
            expected = f"expected {', '.join(choices[:-1])} or {choices[-1]}"
            raise ModelError(f"model {spec.name}: option {key} is {options[key]!r}; {expected}")
    return options


def _variances(spec: ModelSpec) -> NDArray[np.float32]:
    variances = spec.options.get("variances", _VARIANCES)
    if (
        not isinstance(variances, (list, tuple))
        or len(variances) != 4
        or not all(map(is_positive, variances))
    ):
        expected = "expected four positive numbers such as [0.1, 0.1, 0.2, 0.2]"
        raise ModelError(f"model {spec.name}: option variances is {variances!r}; {expected}")
    return np.array(variances, np.float32)
