"""BlazeFace: MediaPipe's face detectors (arXiv:1907.05047), short-range, back camera and full-range.

Every anchor has a score's logit and 16 numbers: centre x and y from the anchor's centre, width, height and
six points from the anchor's centre, all in input pixels. Three layouts are read: regressors [1, anchors, 16]
and classificators [1, anchors, 1]; one output [1, anchors, 17] with the logit first, as in TensorFlow.js; and
both per group of strides, [1, 512, 1], [1, 384, 1], [1, 512, 16], [1, 384, 16].

Suppression here keeps the best face of those that overlap; MediaPipe's own averages them, weighted by score,
so that its boxes differ by a few pixels.

Options, else as MediaPipe has them for the input's size: `strides`, of the layers of anchors, and
`anchors_per_layer`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_engine.errors import ModelError
from edge_engine.models.facts import Deduction, GraphFacts
from edge_engine.models.families import faces
from edge_engine.models.families.candidates import Candidates
from edge_engine.models.families.faces import SIX_POINTS, Shapes
from edge_engine.models.spec import ModelSpec
from edge_engine.result import Objects

_NUMBERS = 16
_LOGIT_LIMIT = 80.0  # of either sign; exp(89) is no float32 any more


class Layers(NamedTuple):
    """Of anchors, as MediaPipe's SsdAnchorsCalculator counts them; neighbours of one stride are one group."""

    strides: tuple[int, ...]
    per_layer: int
    score_threshold: float = 0.5

    def anchors(self, size: tuple[int, int]) -> list[int]:
        """How many there are in each group."""
        return [len(centres) for centres in self.centres(size)]

    def centres(self, size: tuple[int, int]) -> list[NDArray[np.float32]]:
        """Of each group, float32 [anchors, 2], x and y in input pixels; `size` is (width, height)."""
        found = []
        for stride, layers in groupby(self.strides):
            y, x = np.mgrid[: -(-size[1] // stride), : -(-size[0] // stride)]
            shape = np.array([x.shape[1], x.shape[0]])
            cells = (np.stack([x.ravel(), y.ravel()], axis=1) + 0.5) / shape * size
            found.append(np.repeat(cells, len(list(layers)) * self.per_layer, axis=0).astype(np.float32))
        return found


_LAYERS = {
    (128, 128): Layers((8, 16, 16, 16), 2),
    (256, 256): Layers((16, 32, 32, 32), 2),
    (192, 192): Layers((4,), 1, 0.6),
}


class BlazeFace:
    def __init__(self, spec: ModelSpec, output_shapes: Shapes) -> None:
        faces.check_labels(spec, len(SIX_POINTS))
        size = (spec.input.width, spec.input.height)
        self._anchors = np.concatenate(_layers(spec).centres(size))
        names = list(output_shapes)
        self._reads = [names.index(name) for name in self.reads(spec, output_shapes)]
        self._candidates = Candidates(spec)

    @staticmethod
    def reads(spec: ModelSpec, output_shapes: Shapes) -> list[str]:
        """Of the logits first, then of the numbers, each in the order of the anchors; or of both in one."""
        groups = _layers(spec).anchors((spec.input.width, spec.input.height))
        names = _outputs(output_shapes, groups)
        if names is None:
            n = sum(groups)
            expected = f"outputs [1, {n}, 1] and [1, {n}, {_NUMBERS}], or one [1, {n}, {_NUMBERS + 1}]"
            size = f"{spec.input.width}x{spec.input.height}"
            raise faces.misfit(spec, output_shapes, f"{expected} for an input of {size}")
        return names

    @staticmethod
    def deduce(facts: GraphFacts) -> Deduction | None:
        """One of the layouts and no other output, at a size that MediaPipe has a model of."""
        layers = _LAYERS.get(facts.size)
        shapes = faces.of_one_picture(facts.outputs)
        names = _outputs(shapes, layers.anchors(facts.size)) if layers else None
        if layers is None or names is None or len(names) != len(shapes):
            return None
        return Deduction(
            "blazeface",
            "detection",
            1,
            mean=(127.5,) * 3,
            std=(127.5,) * 3,
            letterbox="centre",
            pad=0,
            score_threshold=layers.score_threshold,
            iou_threshold=0.3,
            labels=faces.LABELS,
            keypoint_names=SIX_POINTS,
        )

    def __call__(
        self, outputs: Sequence[NDArray[Any]], score_threshold: float, iou_threshold: float
    ) -> Objects:
        found = self._candidates
        logits, numbers = self._sort(outputs)
        scores = _sigmoid(logits)
        rows = np.flatnonzero((scores >= np.float32(found.lowest(score_threshold))) & np.isfinite(logits))
        with np.errstate(over="ignore", invalid="ignore"):
            points = numbers[rows].reshape(-1, _NUMBERS // 2, 2)
            sizes = points[:, 1].copy()
            points += self._anchors[rows, None]
            boxes_xyxy = np.concatenate([points[:, 0] - sizes / 2, points[:, 0] + sizes / 2], axis=1)
        count = found.fill(boxes_xyxy, scores[rows], np.arange(len(rows)))
        kept = found.keep(count, score_threshold, iou_threshold)
        return found.objects(kept, faces.with_scores(points[found.rows[kept], 2:], found.scores[kept]))

    def _sort(self, outputs: Sequence[NDArray[Any]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits float32 [anchors] and numbers float32 [anchors, 16]."""
        parts = [outputs[index][0] for index in self._reads]
        if len(parts) == 1:
            return parts[0][:, 0], parts[0][:, 1:]
        half = len(parts) // 2
        if half == 1:
            return parts[0][:, 0], parts[1]
        return np.concatenate(parts[:half])[:, 0], np.concatenate(parts[half:])


def _sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -_LOGIT_LIMIT, _LOGIT_LIMIT))), np.float32)


def _layers(spec: ModelSpec) -> Layers:
    known = _LAYERS.get((spec.input.width, spec.input.height), Layers((), 2))
    strides: Any = spec.options.get("strides", known.strides)
    per_layer: Any = spec.options.get("anchors_per_layer", known.per_layer)
    is_list = isinstance(strides, (list, tuple)) and len(strides) > 0
    if not is_list or not all(isinstance(each, int) and each > 0 for each in (*strides, per_layer)):
        size = f"{spec.input.width}x{spec.input.height}"
        raise ModelError(
            f"model {spec.name}: options strides {strides!r}, anchors_per_layer {per_layer!r}; the blazeface "
            f"family needs both for an input of {size}, such as [8, 16, 16, 16] and 2"
        )
    return Layers(tuple(strides), per_layer)


def _outputs(shapes: Shapes, groups: list[int]) -> list[str] | None:
    """Names of the outputs in the order of `BlazeFace.reads`, None when none of the layouts is there."""
    total = sum(groups)
    for rows, wide in (([total], [1, _NUMBERS]), ([total], [_NUMBERS + 1]), (groups, [1, _NUMBERS])):
        wanted = [(1, each, width) for width in wide for each in rows]
        found = [[name for name, shape in shapes.items() if shape == each] for each in wanted]
        if all(len(names) == 1 for names in found):
            return [names[0] for names in found]
    return None
