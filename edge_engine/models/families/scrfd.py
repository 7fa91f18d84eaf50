"""SCRFD: InsightFace's face detector (arXiv:2105.04714), with five points or without.

Per stride 8, 16 and 32, with two anchors per cell, it gives scores [anchors, 1] after the sigmoid, distances
to the box's sides [anchors, 4] and in most files the points' offsets [anchors, 10], in strides from the
cell's corner. Newer files have a dimension of 1 before these. Outputs are told apart by shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from edge_engine.kernels.faces import decode_scrfd
from edge_engine.models.facts import Deduction, GraphFacts
from edge_engine.models.families import faces
from edge_engine.models.families.candidates import Candidates
from edge_engine.models.families.faces import FIVE_POINTS, Shapes
from edge_engine.models.spec import ModelSpec
from edge_engine.result import Objects

_STRIDES = (8, 16, 32)
_PER_CELL = 2
_WITHOUT_POINTS, _WITH_POINTS = (1, 4), (1, 4, 10)  # the widths of a stride's outputs


class Scrfd:
    def __init__(self, spec: ModelSpec, output_shapes: Shapes) -> None:
        wide = _widths(spec, output_shapes)
        self._has_points = wide == _WITH_POINTS
        faces.check_labels(spec, len(FIVE_POINTS) if self._has_points else 0)
        size = (spec.input.width, spec.input.height)
        self._grids = faces.grids(output_shapes, size, _STRIDES, _PER_CELL, wide)
        for grid in self._grids:
            if {width: len(found) for width, found in grid.outputs.items()} != dict.fromkeys(wide, 1):
                expected = f"an output [{grid.anchors}, {wide[-1]}] and others for stride {grid.stride}"
                raise faces.misfit(spec, output_shapes, f"{expected} of an input of {size[0]}x{size[1]}")
        self._corners = faces.corners(self._grids)
        self._candidates = Candidates(spec)

    @staticmethod
    def reads(spec: ModelSpec, output_shapes: Shapes) -> list[str]:
        """By their widths alone: shapes that a file declares may be those of another input size."""
        wide = _widths(spec, output_shapes)
        return [name for name, shape in output_shapes.items() if faces.has_rows(shape, wide)]

    @staticmethod
    def deduce(facts: GraphFacts) -> Deduction | None:
        """Nine outputs by their widths; six, which other detectors may have, by their rows too."""
        shapes = faces.of_one_picture(facts.outputs)
        wide = _known(shapes)
        if wide is None or len(shapes) != len(wide) * len(_STRIDES):
            return None
        if wide == _WITHOUT_POINTS:
            found = faces.grids(shapes, facts.size, _STRIDES, _PER_CELL, wide)
            if any(grid.anchors == 0 or set(grid.outputs) != set(wide) for grid in found):
                return None
        return Deduction(
            "scrfd",
            "detection",
            1,
            mean=(127.5,) * 3,
            std=(128.0,) * 3,
            letterbox="top-left",
            pad=0,
            score_threshold=0.5,
            iou_threshold=0.4,
            labels=faces.LABELS,
            keypoint_names=FIVE_POINTS if wide == _WITH_POINTS else (),
        )

    def __call__(
        self, outputs: Sequence[NDArray[Any]], score_threshold: float, iou_threshold: float
    ) -> Objects:
        found = self._candidates
        count = 0
        for grid in self._grids:
            count = decode_scrfd(
                outputs[grid.outputs[1][0]],
                outputs[grid.outputs[4][0]].reshape(-1, 4),
                grid.per_cell,
                grid.width,
                grid.stride,
                grid.first,
                found.lowest(score_threshold),
                found.boxes_xyxy,
                found.scores,
                found.class_ids,
                found.rows,
                count,
            )
        kept = found.keep(count, score_threshold, iou_threshold)
        if not self._has_points:
            return found.objects(kept)
        return faces.objects(found, kept, outputs, self._grids, self._corners)


def _widths(spec: ModelSpec, shapes: Shapes) -> tuple[int, ...]:
    """The widths of a stride's outputs."""
    wide = _known(shapes)
    if wide is None:
        expected = "three outputs [anchors, 1], three 4 wide and none or three 10 wide"
        raise faces.misfit(spec, shapes, expected)
    return wide


def _known(shapes: Shapes) -> tuple[int, ...] | None:
    found = faces.widths(shapes, _WITH_POINTS)
    return next(
        (w for w in (_WITHOUT_POINTS, _WITH_POINTS) if found == dict.fromkeys(w, len(_STRIDES))), None
    )
