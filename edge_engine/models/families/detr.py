"""DETR and its successors: each of a few hundred queries gives a box and scores; nothing is suppressed.

How exporters write them, by the names of the parts that an output is for (option `outputs`: {part: name}):

    logits [1, queries, columns], boxes [1, queries, 4]      Hugging Face's and the authors' scripts
    rows [1, queries, 4 + classes]: box, scores              Ultralytics' RT-DETR
    selected [1, n, 6]: box, score, class                    the same, since 8.4.1
    labels [1, n], boxes [1, n, 4], scores [1, n]            RT-DETR, D-FINE, DEIM, with post-processing

Boxes are centre x, centre y, width, height as shares of the picture; the last form's are left, top, right,
bottom in input pixels. Option `activation` of logits: `softmax`, whose last column stands for no object and
which gives a query its best class (DETR, YOLOS; arXiv:2005.12872), or `sigmoid`, by which a query may be of
several classes (Deformable DETR, RT-DETR, RF-DETR, D-FINE; arXiv:2010.04159). RF-DETR has a last column too,
which is not read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_engine.models.facts import Deduction, GraphFacts
from edge_engine.models.families import detr_facts
from edge_engine.models.families.limits import Limits
from edge_engine.models.families.outputs import misfit
from edge_engine.models.families.suppressed import best_objects
from edge_engine.models.spec import ModelSpec
from edge_engine.result import Objects

Shapes = dict[str, tuple[int, ...]]
Floats = NDArray[np.float32]


class Candidates(NamedTuple):
    """Boxes float32 [n, 4] xyxy in input pixels, scores float32 [n], class ids [n]; any values."""

    boxes_xyxy: Floats
    scores: Floats
    class_ids: NDArray[Any]


class Detr:
    def __init__(self, spec: ModelSpec, output_shapes: Shapes) -> None:
        parts = _parts(spec, output_shapes)
        self._places = {part: list(output_shapes).index(name) for part, name in parts.items()}
        self._classes = len(spec.labels)
        self._limits = Limits(spec)
        self._size = np.array([spec.input.width, spec.input.height] * 2, np.float32)
        self._is_softmax = "logits" in parts and _activation(spec, output_shapes, parts) == "softmax"

    @staticmethod
    def reads(spec: ModelSpec, output_shapes: Shapes) -> list[str]:
        named = _parts(spec, output_shapes).values()
        return [name for name in output_shapes if name in named]

    @staticmethod
    def deduce(facts: GraphFacts) -> Deduction | None:
        return detr_facts.deduce(facts)

    def __call__(
        self, outputs: Sequence[NDArray[Any]], score_threshold: float, iou_threshold: float
    ) -> Objects:
        """`iou_threshold` has no meaning here."""
        part = {name: outputs[place][0] for name, place in self._places.items()}
        with np.errstate(all="ignore"):  # whatever NaN and inf become is dropped
            if "rows" in part:
                found = self._of_rows(part["rows"])
            elif "selected" in part:
                rows = part["selected"].astype(np.float32, copy=False)
                found = Candidates(self._to_pixels(rows[:, :4]), rows[:, 4], rows[:, 5])
            elif "labels" in part:
                boxes, scores = (part[name].astype(np.float32, copy=False) for name in ("boxes", "scores"))
                found = Candidates(boxes, scores, part["labels"])
            elif self._is_softmax:
                found = self._of_softmax(part["logits"], part["boxes"])
            else:
                found = self._of_sigmoid(part["logits"], part["boxes"], score_threshold)
            return self._best(found, score_threshold)

    def _of_rows(self, rows: NDArray[Any]) -> Candidates:
        """The best class of each query."""
        rows = rows.astype(np.float32, copy=False)
        class_ids = rows[:, 4:].argmax(axis=1)
        scores = np.take_along_axis(rows[:, 4:], class_ids[:, None], axis=1)[:, 0]
        return Candidates(self._to_pixels(rows[:, :4]), scores, class_ids)

    def _of_softmax(self, logits: NDArray[Any], boxes: NDArray[Any]) -> Candidates:
        logits = logits.astype(np.float32, copy=False)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        class_ids = powers[:, :-1].argmax(axis=1)
        best = np.take_along_axis(powers, class_ids[:, None], axis=1)[:, 0]
        return Candidates(self._to_pixels(boxes), best / powers.sum(axis=1), class_ids)

    def _of_sigmoid(self, logits: NDArray[Any], boxes: NDArray[Any], score_threshold: float) -> Candidates:
        """Every class of every query that reaches the threshold."""
        logits = logits[:, : self._classes].astype(np.float32, copy=False)
        scores = np.where(np.isfinite(logits), 1 / (1 + np.exp(-logits)), np.float32(np.nan))
        queries, class_ids = np.nonzero(scores >= np.float32(self._limits.lowest(score_threshold)))
        return Candidates(self._to_pixels(boxes)[queries], scores[queries, class_ids], class_ids)

    def _to_pixels(self, boxes_cxcywh: NDArray[Any]) -> Floats:
        boxes = boxes_cxcywh.astype(np.float32, copy=False) * self._size
        centres, halves = boxes[:, :2], boxes[:, 2:] / 2
        return np.concatenate([centres - halves, centres + halves], axis=1)

    def _best(self, found: Candidates, score_threshold: float) -> Objects:
        """Those with a score, a box and a label, the best first."""
        boxes, scores, class_ids = found
        scores = np.where(scores <= 1, scores, np.float32(np.nan))
        return best_objects(boxes, scores, class_ids, self._limits, score_threshold)


def _parts(spec: ModelSpec, shapes: Shapes) -> dict[str, str]:
    """Which output is which part, by the spec's option or by names and shapes."""
    if not spec.labels:
        raise misfit(spec, "detr", shapes, "expected labels; their number doesn't show in the graph")
    parts = spec.options.get("outputs")
    if parts is None:
        parts = _found(shapes, len(spec.labels))
        if parts is None:
            raise misfit(spec, "detr", shapes, _expected(len(spec.labels)))
    elif (
        not isinstance(parts, dict)
        or set(parts) not in _FORMS
        or not all(n in shapes for n in parts.values())
    ):
        forms = " or ".join(", ".join(sorted(form)) for form in _FORMS)
        raise misfit(
            spec, "detr", shapes, f"option outputs is {parts!r}; expected names of outputs for {forms}"
        )
    if not _fits({part: shapes[name] for part, name in parts.items()}, len(spec.labels)):
        raise misfit(spec, "detr", shapes, _expected(len(spec.labels)))
    return parts


_FORMS = [{"logits", "boxes"}, {"rows"}, {"selected"}, {"labels", "boxes", "scores"}]
_SIDES = {"logits": 3, "boxes": 3, "rows": 3, "selected": 3, "labels": 2, "scores": 2}


def _found(shapes: Shapes, classes: int) -> dict[str, str] | None:
    """Each form tried on the outputs that look like it; None when none fits, or more than one way."""
    wide = [name for name, shape in shapes.items() if len(shape) == 3]
    flat = [name for name, shape in shapes.items() if len(shape) == 2]
    boxes = [name for name in wide if shapes[name][2] == 4]
    ways: list[dict[str, str]] = []
    for box in boxes:
        ways += [{"logits": other, "boxes": box} for other in wide if other != box]
        ways += [{"labels": a, "boxes": box, "scores": b} for a in flat for b in flat if a != b]
    if not boxes:
        ways = [{form: name} for form in ("rows", "selected") for name in wide]
    ways = [way for way in ways if _fits({part: shapes[name] for part, name in way.items()}, classes)]
    named = [way for way in ways if all(detr_facts.is_named(part, name) for part, name in way.items())]
    if len(named) == 1:
        return named[0]
    return ways[0] if len(ways) == 1 else None


def _fits(parts: dict[str, tuple[int, ...]], classes: int) -> bool:
    """Whether shapes are those of a form for so many labels."""
    if any(len(shape) != _SIDES[part] or shape[0] != 1 for part, shape in parts.items()):
        return False
    if len({shape[1] for shape in parts.values()}) != 1:
        return False
    widths = {"logits": (classes, classes + 1), "boxes": (4,), "rows": (4 + classes,), "selected": (6,)}
    return all(shape[2] in widths[part] for part, shape in parts.items() if part in widths)


def _activation(spec: ModelSpec, shapes: Shapes, parts: dict[str, str]) -> str:
    """By the option; else a column more than labels is taken for DETR's, but for RF-DETR's names."""
    has_more = shapes[parts["logits"]][2] == len(spec.labels) + 1
    is_rf_detr = (parts["boxes"], parts["logits"]) == detr_facts.RF_DETR
    activation = spec.options.get("activation", "softmax" if has_more and not is_rf_detr else "sigmoid")
    if activation not in ("sigmoid", "softmax") or (activation == "softmax" and not has_more):
        expected = f"sigmoid, or softmax with {len(spec.labels) + 1} columns for {len(spec.labels)} labels"
        raise misfit(spec, "detr", shapes, f"option activation is {activation!r}; expected {expected}")
    return str(activation)


def _expected(classes: int) -> str:
    return (
        f"expected logits [1, queries, {classes} or {classes + 1}] and boxes [1, queries, 4], "
        f"rows [1, queries, {4 + classes}] or [1, n, 6], or labels, boxes and scores, "
        f"for {classes} labels (option outputs tells apart what looks alike)"
    )
