"""scores: one score for each label, of the whole picture, as classifiers and taggers give them.

Options of both families: `activation`, what has yet to be applied: none (the output holds scores 0..1),
softmax or sigmoid (it holds logits); `scale` and `zero_point` of a quantized output; `background`, true where
a first class stands for no label; `output`, the name of the one that is read, where several look alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_engine.errors import ModelError
from edge_engine.models.facts import GraphFacts
from edge_engine.models.families.limits import Limits
from edge_engine.models.families.outputs import misfit
from edge_engine.models.spec import ModelSpec
from edge_engine.result import Tags

Shapes = dict[str, tuple[int, ...]]
Scores = NDArray[np.float32]

_ACTIVATIONS = ("none", "softmax", "sigmoid")


class LabelScores:
    """Reads the scores, and picks the labels that reach their thresholds."""

    def __init__(self, spec: ModelSpec, shapes: Shapes) -> None:
        self._name = spec.name
        self._index = list(shapes).index(score_output(spec, shapes))
        self._skipped = int(_has_background(spec))
        self._activation = activation_of(spec)
        self._quantization = quantization_of(spec)
        self._limits = Limits(spec)

    def read(self, outputs: Sequence[NDArray[Any]]) -> Scores:
        """float32 [labels], 0..1; NaN where the output holds no number."""
        raw = outputs[self._index].reshape(-1)
        if raw.dtype.kind in "iu":
            raw = self._dequantized(raw)
        values = _activated(raw.astype(np.float32, copy=False), self._activation)
        return np.clip(values[self._skipped :], 0, 1)

    def _dequantized(self, raw: NDArray[Any]) -> Scores:
        """(raw - zero point) · scale."""
        if self._quantization is None:
            expected = "options scale and zero_point must say what its numbers mean"
            raise ModelError(f"model {self._name}: its output is {raw.dtype}; {expected}")
        scale, zero_point = self._quantization
        return (raw.astype(np.float32) - np.float32(zero_point)) * np.float32(scale)

    def pick(self, scores: Scores, score_threshold: float, most: int | None = None) -> Tags:
        """Those above 0 that reach their limits (as float32), of equal scores the first label first."""
        kept = np.flatnonzero((scores >= self._limits.of(score_threshold)) & (scores > 0))
        if most is not None and len(kept) > most:
            worst = np.partition(scores[kept], -most)[-most]
            kept = kept[scores[kept] >= worst]
        kept = kept[np.argsort(-scores[kept], kind="stable")][:most]
        return Tags(kept.astype(np.int32), scores[kept])


def _activated(values: Scores, activation: str) -> Scores:
    """NaN for what is no number; but -inf is how a softmax's logits say "never"."""
    is_softmax = activation == "softmax"
    is_number = values < np.inf if is_softmax else np.isfinite(values)
    values = np.where(is_number, values, np.float32(np.nan)).astype(np.float32, copy=False)
    with np.errstate(over="ignore", invalid="ignore"):
        if is_softmax:
            powers = np.exp(values - values.max())
            values = powers / powers.sum()
        elif activation == "sigmoid":
            values = np.float32(1) / (np.float32(1) + np.exp(-values))
    return values


def activation_of(spec: ModelSpec) -> str:
    activation = spec.options.get("activation")
    if activation not in _ACTIVATIONS:
        expected = "none (its output holds scores 0..1), softmax or sigmoid (logits)"
        raise ModelError(f"model {spec.name}: option activation is {activation!r}; expected {expected}")
    return str(activation)


def quantization_of(spec: ModelSpec) -> tuple[float, float] | None:
    """Scale and zero point, where the spec has them."""
    scale, zero_point = spec.options.get("scale"), spec.options.get("zero_point", 0)
    if scale is None:
        return None
    if not all(isinstance(value, (int, float)) for value in (scale, zero_point)) or not scale > 0:
        found = f"option scale is {scale!r}, zero_point {zero_point!r}"
        raise ModelError(f"model {spec.name}: {found}; expected a number above 0, and a number")
    return float(scale), float(zero_point)


def score_output(spec: ModelSpec, shapes: Shapes) -> str:
    """The name of the one output that holds a number for each label, in whatever shape."""
    width = len(spec.labels) + int(_has_background(spec))
    named = spec.options.get("output")
    found = [name for name, shape in shapes.items() if prod(shape) == width and named in (None, name)]
    if len(found) != 1:
        expected = f"expected one output [1, {width}] for {len(spec.labels)} labels"
        expected += " and the background" if _has_background(spec) else ""
        raise misfit(spec, spec.family, shapes, expected)
    return found[0]


def reads(spec: ModelSpec, output_shapes: Shapes) -> list[str]:
    """As families.family.Decoder has it, of both families."""
    return [score_output(spec, output_shapes)]


def scores_in(facts: GraphFacts) -> tuple[str, int] | None:
    """The only output and how many numbers it holds, where it is one vector of them for one picture."""
    if len(facts.outputs) != 1 or facts.side_inputs:
        return None
    ((name, shape),) = facts.outputs.items()
    if not shape or not all(shape) or sum(length > 1 for length in shape) > 1:
        return None
    if len(shape) > 1 and shape[0] != 1:
        return None
    return name, prod(shape)


def quantization_options(facts: GraphFacts, name: str) -> dict[str, float]:
    if name not in facts.scales:
        return {}
    scale, zero_point = facts.scales[name]
    return {"scale": scale, "zero_point": zero_point}


def _has_background(spec: ModelSpec) -> bool:
    return bool(spec.options.get("background", False))
