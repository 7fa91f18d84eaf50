"""PicoDet (arXiv:2111.00902): an anchor-free detector with a generalized focal loss head on four strides.

Exported without post-processing it gives what gfl_head.py tells, for the strides 8, 16, 32 and 64, counted
from the cells' middles (PaddleDetection, deploy/python/picodet_postprocess.py). With its boxes decoded in the
graph it is of the ppyoloe family, with its suppression too of paddle_nms.

Options: `strides`, `reg_max` and `score_outputs` as in the nanodet family, none of them needed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge_engine.models.facts import Deduction, GraphFacts
from edge_engine.models.families.candidates import Candidates
from edge_engine.models.families.gfl_head import GflHead, Shapes, deduce_classes_and_reach, read_strides
from edge_engine.models.families.normalising import IMAGENET_MEAN, IMAGENET_STD
from edge_engine.models.spec import ModelSpec
from edge_engine.result import Objects

_STRIDES = [8, 16, 32, 64]


class PicoDet:
    def __init__(self, spec: ModelSpec, output_shapes: Shapes) -> None:
        self._head = GflHead(spec, output_shapes, read_strides(spec, _STRIDES))
        self._candidates = Candidates(spec)

    @staticmethod
    def reads(spec: ModelSpec, output_shapes: Shapes) -> list[str]:
        return list(output_shapes)

    @staticmethod
    def deduce(facts: GraphFacts) -> Deduction | None:
        """Scores and distributions of four strides, apart from each other."""
        found = deduce_classes_and_reach(facts, _STRIDES)
        if found is None:
            return None
        classes, reg_max = found
        return Deduction(
            "picodet",
            "detection",
            classes,
            mean=IMAGENET_MEAN,
            std=IMAGENET_STD,
            score_threshold=0.4,
            iou_threshold=0.6,
            options={"strides": list(_STRIDES), "reg_max": reg_max},
        )

    def __call__(
        self, outputs: Sequence[NDArray[np.float32]], score_threshold: float, iou_threshold: float
    ) -> Objects:
        count = self._head.decode(outputs, score_threshold, self._candidates)
        return self._candidates.suppress(count, score_threshold, iou_threshold)
