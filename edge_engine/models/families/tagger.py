"""Tagger: which of its labels hold for a picture, each by itself; one output [1, labels], in whatever shape.

The tags are all labels that reach their thresholds. Options: see scores.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from edge_engine.errors import ModelError
from edge_engine.models.facts import Deduction, GraphFacts
from edge_engine.models.families.normalising import customary
from edge_engine.models.families.scores import (
    LabelScores,
    Shapes,
    activation_of,
    quantization_options,
    reads,
    scores_in,
)
from edge_engine.models.spec import ModelSpec
from edge_engine.result import Tags


class Tagger:
    def __init__(self, spec: ModelSpec, output_shapes: Shapes) -> None:
        if activation_of(spec) == "softmax":
            raise ModelError(f"model {spec.name}: a tagger's labels hold each by itself; expected no softmax")
        self._scores = LabelScores(spec, output_shapes)

    reads = staticmethod(reads)

    @staticmethod
    def deduce(facts: GraphFacts) -> Deduction | None:
        """One vector that a sigmoid gives."""
        found = scores_in(facts)
        if found is None:
            return None
        name, classes = found
        is_sigmoid = facts.ends_in.get(name) == "Sigmoid"
        if not (is_sigmoid or facts.is_named):
            return None
        mean, std = customary(facts)
        return Deduction(
            "tagger",
            "tagging",
            classes,
            mean=mean,
            std=std,
            score_threshold=0.5,
            options={"activation": "none" if is_sigmoid else "sigmoid"} | quantization_options(facts, name),
        )

    def __call__(self, outputs: Sequence[NDArray[Any]], score_threshold: float, iou_threshold: float) -> Tags:
        return self._scores.pick(self._scores.read(outputs), score_threshold)
