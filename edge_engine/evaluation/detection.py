"""Detection and instance segmentation: COCO's average precision of boxes, and of masks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_engine.errors import DataError
from edge_engine.evaluation.datasets import Dataset, Labelled, Outline, Picture
from edge_engine.evaluation.labels import Matching
from edge_engine.evaluation.precision import (
    Comparison,
    Row,
    Seen,
    average_precision,
    import_library,
)
from edge_engine.evaluation.report import AveragePrecision
from edge_engine.models.spec import ModelSpec
from edge_engine.pixels import Image
from edge_engine.result import Answer, Objects


class DetectionJudge:
    """`look` is called by the threads that infer, the rest by one thread."""

    score_threshold = 0.001

    def __init__(self, dataset: Dataset, matching: Matching, spec: ModelSpec) -> None:
        import_library()
        self._matching = matching
        self._has_masks = spec.task == "instance-segmentation"
        self._seen: list[Seen] = []

    def look(self, picture: Picture, size: tuple[int, int], answer: Answer) -> Seen:
        assert isinstance(answer, Objects)
        labelled = []
        for each, class_id in labelled_objects(picture, size, self._matching):
            row = annotation(each, class_id)
            if self._has_masks:
                row["segmentation"] = _outline(picture, each, size)
            labelled.append(row)
        judged = that_count(answer, self._matching)
        places: dict[Comparison, Any] = {"bbox": boxes_xywh(answer)[judged]}
        if self._has_masks:
            places["segm"] = [encoded(answer, i, size) for i in judged]
        return Seen(size, labelled, answer.class_ids[judged], answer.scores[judged], places)

    def add(self, seen: Seen) -> None:
        self._seen.append(seen)

    def judge(self) -> dict[str, AveragePrecision]:
        scores = {"boxes": average_precision("bbox", self._matching.labels, self._seen)}
        if self._has_masks:
            scores["masks"] = average_precision("segm", self._matching.labels, self._seen)
        return scores


def annotation(labelled: Labelled, class_id: int) -> Row:
    return {
        "category_id": class_id,
        "bbox": list(labelled.box_xywh),
        "area": labelled.area,
        "iscrowd": int(labelled.is_crowd),
    }


def labelled_objects(
    picture: Picture, size: tuple[int, int], matching: Matching
) -> Iterator[tuple[Labelled, int]]:
    """Those whose class the model has, with its number there."""
    for each in picture.objects_in(size):
        class_id = matching.class_ids[each.class_id]
        if class_id >= 0:
            yield each, class_id


def that_count(objects: Objects, matching: Matching) -> NDArray[np.intp]:
    """Numbers of the objects whose class is labelled in the data."""
    return np.flatnonzero(np.isin(objects.class_ids, list(matching.judged)))


def boxes_xywh(objects: Objects) -> NDArray[np.float64]:
    corners = objects.boxes_xyxy.astype(np.float64)
    return np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]])


def _outline(picture: Picture, labelled: Labelled, size: tuple[int, int]) -> Outline:
    outline = labelled.outline
    if outline is None:
        raise DataError(
            f"{picture.path}: an object at {_rounded(labelled.box_xywh)} is labelled without outline"
        )
    if isinstance(outline, dict) and tuple(outline["size"]) != (size[1], size[0]):
        height, width = outline["size"]
        raise DataError(
            f"{picture.path}: is {size[0]}×{size[1]} pixels as stored, an outline is for {width}×{height}"
        )
    return outline


def _rounded(numbers: Sequence[float]) -> list[int]:
    return [round(number) for number in numbers]


def encoded(objects: Objects, index: np.intp, size: tuple[int, int]) -> Row:
    """An object's mask in the picture's pixels, run-length encoded. Between the cells of its grid the border
    is where their bilinear interpolation passes one half."""
    assert objects.masks is not None
    shares: Image = objects.masks[index] * np.uint8(255)
    mask = cv2.resize(shares, size, interpolation=cv2.INTER_LINEAR) > 127
    rle: Row = import_library().mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    return rle
