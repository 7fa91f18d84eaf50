"""Segmenter: a class for each cell of a grid over the picture; one output, in one of three kinds.

- Scores of each class, as logits or probabilities, planes [1, classes, rows, columns] or pixels
  [1, rows, columns, classes]: the best one counts. Told apart by the number of labels.
- A map of class numbers, integers [1, rows, columns], with another dimension of 1 or without.
- A mask, floats (or integers with a scale) of the same shape, with two labels, outside and inside: what
  reaches the threshold of the label inside is there.

Cells of labels that aren't asked for are void. Of the first two kinds no label can have a threshold.

Options: `layout`, planes or pixels, where the shape allows both; `activation` of a mask, none or sigmoid;
`scale` and `zero_point` of a mask in integers; `output`, the name of the one that is read, where several look
alike.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from edge_engine.errors import ModelError
from edge_engine.kernels.argmax import argmax_pixels, argmax_planes
from edge_engine.models.facts import Deduction, GraphFacts
from edge_engine.models.families.limits import Limits
from edge_engine.models.families.normalising import customary
from edge_engine.models.families.outputs import misfit
from edge_engine.models.families.scores import (
    Shapes,
    activation_of,
    quantization_of,
    quantization_options,
)
from edge_engine.models.spec import ModelSpec
from edge_engine.result import Segmentation

Shape = tuple[int, ...]


class Segmenter:
    def __init__(self, spec: ModelSpec, output_shapes: Shapes) -> None:
        if spec.input.letterbox == "crop":
            raise ModelError(
                f"model {spec.name}: a segmentation covers the whole picture; letterbox can't be crop"
            )
        (name,) = self.reads(spec, output_shapes)
        shape = output_shapes[name]
        self._spec = spec
        self._index = list(output_shapes).index(name)
        self._layout = _layout(spec, shape)
        self._grid = _grid(shape, self._layout)
        if spec.label_thresholds and self._layout != "flat":
            raise ModelError(
                f"model {spec.name}: label_thresholds: its cells are of their best class, whatever its "
                "score; expected none"
            )
        self._dtype = np.uint8 if len(spec.labels) < 256 else np.uint16
        self._limits = Limits(replace(spec, classes=()))  # of a mask's label inside, asked for or not
        self._asked = _asked(spec, self._dtype)
        self._quantization = quantization_of(spec)
        self._floats: NDArray[np.float32] | None = None

    @staticmethod
    def reads(spec: ModelSpec, output_shapes: Shapes) -> list[str]:
        named = spec.options.get("output")
        found = [
            name
            for name, shape in output_shapes.items()
            if named in (None, name) and (_is_flat(shape) or len(_layouts(shape, len(spec.labels))) > 0)
        ]
        if len(found) != 1:
            classes = len(spec.labels)
            grids = f"[1, {classes}, rows, columns], [1, rows, columns, {classes}] or [1, rows, columns]"
            raise misfit(spec, "segmenter", output_shapes, f"expected one output {grids}")
        return found

    @staticmethod
    def deduce(facts: GraphFacts) -> Deduction | None:
        """One output on the input's own grid: a map of whole numbers, a mask that a sigmoid gives, or scores
        of two classes or more than three (three are a picture). Coarser scores might be anything."""
        if len(facts.outputs) != 1 or facts.side_inputs:
            return None
        ((name, shape),) = facts.outputs.items()
        is_map = facts.output_dtypes.get(name, "")[:3] in ("int", "uin", "boo") and name not in facts.scales
        if _is_flat(shape):
            return _of_one_channel(facts, name, shape, is_map)
        if len(shape) != 4 or shape[0] != 1 or is_map:
            return None
        found = {
            classes
            for classes, grid in ((shape[1], shape[2:]), (shape[3], shape[1:3]))
            if classes > 1 and (classes != 3 or facts.is_named) and _covers_input(facts, grid)
        }
        return _deduction(facts, found.pop(), {}) if len(found) == 1 else None

    def __call__(
        self, outputs: Sequence[NDArray[Any]], score_threshold: float, iou_threshold: float
    ) -> Segmentation:
        output = outputs[self._index]
        class_ids = np.empty(self._grid, self._dtype)
        if self._layout == "planes":
            argmax_planes(self._as_floats(output)[0], class_ids)
        elif self._layout == "pixels":
            argmax_pixels(self._as_floats(output)[0], class_ids)
        elif output.dtype.kind in "iub" and self._quantization is None:
            self._copy_map(output.reshape(self._grid), class_ids)
        else:
            limit = self._limit(float(self._limits.of(score_threshold)[-1]))
            np.greater_equal(output.reshape(self._grid), limit, out=class_ids.view(bool))
        return Segmentation(class_ids if self._asked is None else self._asked[class_ids])

    def _as_floats(self, scores: NDArray[Any]) -> NDArray[np.float32]:
        """Of another dtype, in scratch; a scale changes nothing about which is the highest."""
        if scores.dtype == np.float32:
            return scores
        if self._floats is None:
            self._floats = np.empty(scores.shape, np.float32)
        np.copyto(self._floats, scores, casting="unsafe")
        return self._floats

    def _copy_map(self, numbers: NDArray[Any], class_ids: NDArray[np.unsignedinteger]) -> None:
        highest, lowest, count = int(numbers.max()), int(numbers.min()), len(self._spec.labels)
        if lowest < 0 or highest >= count:
            raise ModelError(
                f"model {self._spec.name}: gives class {lowest if lowest < 0 else highest}, but has {count} "
                "labels; name all of its classes, the background too"
            )
        np.copyto(class_ids, numbers, casting="unsafe")

    def _limit(self, score_threshold: float) -> float:
        """The threshold as the mask's own numbers have it."""
        if len(self._spec.labels) != 2:
            raise ModelError(
                f"model {self._spec.name}: gives a mask, which takes two labels, outside and inside; "
                f"it has {len(self._spec.labels)}"
            )
        limit = score_threshold
        if activation_of(self._spec) == "sigmoid":
            limit = _logit(score_threshold)
        if self._quantization is not None:
            scale, zero_point = self._quantization
            limit = limit / scale + zero_point
        return limit


def _asked(spec: ModelSpec, dtype: type[np.unsignedinteger]) -> NDArray[np.unsignedinteger] | None:
    """Each class as it is given: itself, or void where it isn't asked for; None when all are."""
    asked = Limits(spec).asked
    if asked is None:
        return None
    return np.where(asked, np.arange(len(asked)), np.iinfo(dtype).max).astype(dtype)


def _logit(share: float) -> float:
    if share <= 0 or share >= 1:
        return -math.inf if share <= 0 else math.inf
    return math.log(share / (1 - share))


def _is_flat(shape: Shape) -> bool:
    """[1, rows, columns], or with another dimension of 1."""
    return shape[:1] == (1,) and (len(shape) == 3 or (len(shape) == 4 and 1 in (shape[1], shape[3])))


def _layouts(shape: Shape, classes: int) -> list[str]:
    """How scores of so many classes may lie."""
    if len(shape) != 4 or shape[0] != 1 or classes < 2:
        return []
    return [name for name, axis in (("planes", 1), ("pixels", 3)) if shape[axis] == classes]


def _layout(spec: ModelSpec, shape: Shape) -> str:
    found = _layouts(shape, len(spec.labels))
    said = spec.options.get("layout")
    if len(found) == 2 and said not in found:
        raise ModelError(
            f"model {spec.name}: its output {list(shape)} may be planes or pixels; option layout must say it"
        )
    return said if said in found else found[0] if found else "flat"


def _grid(shape: Shape, layout: str) -> Shape:
    if layout == "planes":
        return shape[2:]
    if layout == "pixels":
        return shape[1:3]
    return shape[1:] if len(shape) == 3 else shape[2:] if shape[1] == 1 else shape[1:3]


def _covers_input(facts: GraphFacts, grid: Shape) -> bool:
    """Whether a grid (rows, columns) has the input's size; its shape does when a person names the family."""
    width, height = facts.size
    if not facts.is_named:
        return tuple(grid) == (height, width)
    return abs(grid[0] - grid[1] * height / width) < 1


def _of_one_channel(facts: GraphFacts, name: str, shape: Shape, is_map: bool) -> Deduction | None:
    if not _covers_input(facts, _grid(shape, "flat")):
        return None
    if is_map:
        return _deduction(facts, 0, {})
    is_sigmoid = facts.ends_in.get(name) == "Sigmoid"
    if not (is_sigmoid or facts.is_named):
        return None
    options = {"activation": "none" if is_sigmoid else "sigmoid"}
    return _deduction(facts, 2, options | quantization_options(facts, name))


def _deduction(facts: GraphFacts, classes: int, options: dict[str, Any]) -> Deduction:
    mean, std = customary(facts)
    return Deduction(
        "segmenter", "segmentation", classes, mean=mean, std=std, score_threshold=0.5, options=options
    )
