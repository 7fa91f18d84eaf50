"""Classifier: which one of its classes a picture shows; one output [1, classes], in whatever shape.

The tags are the best five classes that reach the threshold. Options: see scores.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from edge_engine.models.facts import Deduction, GraphFacts
from edge_engine.models.families.normalising import customary
from edge_engine.models.families.scores import (
    LabelScores,
    Shapes,
    quantization_options,
    reads,
    scores_in,
)
from edge_engine.models.spec import ModelSpec
from edge_engine.result import Tags

BEST = 5

# ImageNet's classes, without and with a background. Vectors of other lengths may be anything, such as the
# descriptor of a face.
_IMAGENET = (1000, 1001)
_CROP = 224 / 256


class Classifier:
    def __init__(self, spec: ModelSpec, output_shapes: Shapes) -> None:
        self._scores = LabelScores(spec, output_shapes)

    reads = staticmethod(reads)

    @staticmethod
    def deduce(facts: GraphFacts) -> Deduction | None:
        """One vector that a softmax gives, or one as long as ImageNet's classes without it."""
        found = scores_in(facts)
        if found is None:
            return None
        name, classes = found
        ends_in = facts.ends_in.get(name, "")
        is_sure = ends_in in ("Softmax", "LogSoftmax") or (classes in _IMAGENET and ends_in != "Sigmoid")
        if classes < 2 or not (is_sure or facts.is_named):
            return None
        activation = {"Softmax": "none", "Sigmoid": "none"}.get(ends_in, "softmax")
        mean, std = customary(facts)
        return Deduction(
            "classifier",
            "classification",
            classes,
            mean=mean,
            std=std,
            letterbox="crop",
            crop=_CROP,
            score_threshold=0.0,
            options={"activation": activation} | quantization_options(facts, name),
        )

    def __call__(self, outputs: Sequence[NDArray[Any]], score_threshold: float, iou_threshold: float) -> Tags:
        return self._scores.pick(self._scores.read(outputs), score_threshold, BEST)
