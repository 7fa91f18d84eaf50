"""NanoDet and NanoDet-Plus: anchor-free detectors with a generalized focal loss head.

What their files hold is told in gfl_head.py. NanoDet's cells count from their middle and it has the strides
8, 16 and 32; NanoDet-Plus, with 64 besides, counts from their upper left corner (RangiLyu/nanodet,
model/head: gfl_head.py, nanodet_plus_head.py).

Options: `strides`; `cell_offset`, where in a cell its point is, in strides (0.5; NanoDet-Plus: 0); `reg_max`
(else deduced from the shapes); `score_outputs`, names of the outputs that hold scores (needed only when
scores and distributions are equally wide).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge_engine.errors import ModelError
from edge_engine.models.facts import Deduction, GraphFacts
from edge_engine.models.families.candidates import Candidates
from edge_engine.models.families.gfl_head import (
    GflHead,
    Shapes,
    cells_of,
    deduce_classes_and_reach,
    read_strides,
)
from edge_engine.models.spec import ModelSpec
from edge_engine.result import Objects

_STRIDES, _PLUS_STRIDES = [8, 16, 32], [8, 16, 32, 64]
_PLUS_REACH = 7
_MEAN, _STD = (103.53, 116.28, 123.675), (57.375, 57.12, 58.395)  # blue, green, red


class NanoDet:
    def __init__(self, spec: ModelSpec, output_shapes: Shapes) -> None:
        self._head = GflHead(spec, output_shapes, read_strides(spec), _cell_offset(spec))
        self._candidates = Candidates(spec)

    @staticmethod
    def reads(spec: ModelSpec, output_shapes: Shapes) -> list[str]:
        return list(output_shapes)

    @staticmethod
    def deduce(facts: GraphFacts) -> Deduction | None:
        """Scores and distributions apart, for NanoDet's strides; in one output, for NanoDet-Plus's.

        An early NanoDet with all in one output is not told from detectors with a row per anchor.
        """
        apart = deduce_classes_and_reach(facts, _STRIDES)
        if apart is not None:
            classes, reg_max = apart
            return _deduction(classes, reg_max, is_plus=False)
        shapes = list(facts.outputs.values())
        if len(shapes) != 1 or len(shapes[0]) != 3 or shapes[0][0] not in (0, 1):
            return None
        _, cells, width = shapes[0]
        classes = width - 4 * (_PLUS_REACH + 1)
        if cells != sum(cells_of(facts.size, _PLUS_STRIDES)) or classes < 1:
            return None
        return _deduction(classes, _PLUS_REACH, is_plus=True)

    def __call__(
        self, outputs: Sequence[NDArray[np.float32]], score_threshold: float, iou_threshold: float
    ) -> Objects:
        count = self._head.decode(outputs, score_threshold, self._candidates)
        return self._candidates.suppress(count, score_threshold, iou_threshold)


def _deduction(classes: int, reg_max: int, is_plus: bool) -> Deduction:
    """Each as its configurations have it: keep_ratio, with black around the picture, only before Plus."""
    strides, cell_offset = (_PLUS_STRIDES, 0.0) if is_plus else (_STRIDES, 0.5)
    return Deduction(
        "nanodet",
        "detection",
        classes,
        colour="BGR",
        mean=_MEAN,
        std=_STD,
        letterbox="stretch" if is_plus else "centre",
        pad=0,
        score_threshold=0.35,
        iou_threshold=0.6,
        options={"strides": list(strides), "reg_max": reg_max, "cell_offset": cell_offset},
    )


def _cell_offset(spec: ModelSpec) -> float:
    offset = spec.options.get("cell_offset", 0.5)
    if isinstance(offset, bool) or not isinstance(offset, (int, float)) or not 0 <= offset <= 1:
        expected = "expected 0.5 for cells' middles, or 0 for their upper left corners (NanoDet-Plus)"
        raise ModelError(f"model {spec.name}: option cell_offset is {offset!r}; {expected}")
    return float(offset)
