"""YuNet: a face detector with five points, as OpenCV's FaceDetectorYN runs it (models from March 2023 on).

Per stride 8, 16 and 32 it gives class scores and objectness [1, cells, 1], boxes [1, cells, 4] and points
[1, cells, 10]. Outputs are told apart by shape; which of both scores is which makes no difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from edge_engine.kernels.faces import decode_yunet
from edge_engine.models.facts import Deduction, GraphFacts
from edge_engine.models.families import faces
from edge_engine.models.families.candidates import Candidates
from edge_engine.models.families.faces import FIVE_POINTS, Shapes
from edge_engine.models.spec import ModelSpec
from edge_engine.result import Objects

_STRIDES = (8, 16, 32)
_WIDTHS = {1: 2, 4: 1, 10: 1}  # the widths of a stride's outputs, and how many there are of each


class YuNet:
    def __init__(self, spec: ModelSpec, output_shapes: Shapes) -> None:
        faces.check_labels(spec, len(FIVE_POINTS))
        self.reads(spec, output_shapes)
        size = (spec.input.width, spec.input.height)
        self._grids = faces.grids(output_shapes, size, _STRIDES, 1, _WIDTHS)
        for grid in self._grids:
            if {width: len(found) for width, found in grid.outputs.items()} != _WIDTHS:
                expected = (
                    f"two outputs [1, {grid.anchors}, 1], one 4 and one 10 wide for stride {grid.stride}"
                )
                raise faces.misfit(spec, output_shapes, f"{expected} of an input of {size[0]}x{size[1]}")
        self._corners = faces.corners(self._grids)
        self._candidates = Candidates(spec)

    @staticmethod
    def reads(spec: ModelSpec, output_shapes: Shapes) -> list[str]:
        """By their widths alone: shapes that a file declares may be those of another input size."""
        if not _is_yunet(output_shapes):
            expected = "six outputs [1, cells, 1], three 4 and three 10 wide"
            raise faces.misfit(spec, output_shapes, expected)
        return [name for name, shape in output_shapes.items() if faces.has_rows(shape, _WIDTHS)]

    @staticmethod
    def deduce(facts: GraphFacts) -> Deduction | None:
        """By the widths of the twelve outputs, which no other family has."""
        shapes = faces.of_one_picture(facts.outputs)
        if not _is_yunet(shapes) or len(shapes) != sum(_WIDTHS.values()) * len(_STRIDES):
            return None
        return Deduction(
            "yunet",
            "detection",
            1,
            colour="BGR",
            letterbox="top-left",
            pad=0,
            score_threshold=0.6,
            iou_threshold=0.3,
            labels=faces.LABELS,
            keypoint_names=FIVE_POINTS,
        )

    def __call__(
        self, outputs: Sequence[NDArray[Any]], score_threshold: float, iou_threshold: float
    ) -> Objects:
        found = self._candidates
        count = 0
        for grid in self._grids:
            class_scores, objectness = (outputs[index] for index in grid.outputs[1])
            count = decode_yunet(
                class_scores,
                objectness,
                outputs[grid.outputs[4][0]].reshape(-1, 4),
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
        return faces.objects(found, kept, outputs, self._grids, self._corners)


def _is_yunet(shapes: Shapes) -> bool:
    return faces.widths(shapes, _WIDTHS) == {width: n * len(_STRIDES) for width, n in _WIDTHS.items()}
