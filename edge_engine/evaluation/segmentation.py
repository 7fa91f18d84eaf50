"""Segmentation: intersection over union per class, and their mean, over the pixels of all pictures.

A confusion matrix is summed up over the pictures first, as Pascal VOC's evaluation does; the mean leaves out
classes that are neither labelled nor found, as MMSegmentation's does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from edge_engine.errors import DataError, one_line
from edge_engine.evaluation.datasets import Dataset, Picture
from edge_engine.evaluation.labels import Matching
from edge_engine.evaluation.report import ClassOverlap, Overlap
from edge_engine.models.families.limits import Limits
from edge_engine.models.spec import ModelSpec
from edge_engine.result import Answer, Segmentation

VOID = 255


class SegmentationJudge:
    """`look` is called by the threads that infer, the rest by one thread."""

    def __init__(self, dataset: Dataset, matching: Matching, spec: ModelSpec) -> None:
        of_each = Limits(replace(spec, classes=())).of(spec.score_threshold)
        self.score_threshold = float(of_each[-1])  # where a mask's inside begins
        self._matching = matching
        self._n_labels = len(spec.labels)
        self._confusion = np.zeros((self._n_labels, self._n_labels), np.int64)

    def look(self, picture: Picture, size: tuple[int, int], answer: Answer) -> NDArray[np.int64]:
        """The picture's confusion matrix: pixels by what they are labelled (rows) and found to be."""
        assert isinstance(answer, Segmentation)
        assert picture.mask is not None
        labelled = self._in_models_classes(picture.mask, read_mask(picture.mask))
        height, width = labelled.shape
        if (width, height) != size:
            raise DataError(
                f"{picture.mask}: is {width}×{height} pixels, its picture {size[0]}×{size[1]} as stored"
            )
        found = cv2.resize(answer.class_ids, size, interpolation=cv2.INTER_NEAREST_EXACT)
        return confusion(labelled, np.asarray(found, np.int64), self._n_labels)

    def _in_models_classes(self, file: Path, mask: NDArray[np.int64]) -> NDArray[np.int64]:
        """-1 for what doesn't count: void, and labels that the model lacks."""
        ids = self._matching.class_ids
        unknown = np.setdiff1d(mask, [*range(len(ids)), VOID])
        if unknown.size:
            raise DataError(
                f"{file}: has class {unknown[0]}; expected 0 to {len(ids) - 1}, or {VOID} for void"
            )
        table = np.full(max(len(ids), VOID + 1), -1, np.int64)
        table[: len(ids)] = ids
        table[VOID] = -1
        return np.asarray(table[mask])

    def add(self, seen: NDArray[np.int64]) -> None:
        self._confusion += seen

    def judge(self) -> dict[str, Overlap]:
        return {"segmentation": overlap(self._confusion, self._matching.labels)}


def confusion(labelled: NDArray[np.int64], found: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """int64 [classes, classes] of pixels; those labelled -1 don't count."""
    judged = labelled >= 0
    pairs = labelled[judged] * classes + found[judged]
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def overlap(matrix: NDArray[np.int64], labels: tuple[str, ...]) -> Overlap:
    right = np.diagonal(matrix)
    labelled, found = matrix.sum(axis=1), matrix.sum(axis=0)
    union = labelled + found - right
    classes = {
        labels[i]: ClassOverlap(int(labelled[i]), float(right[i] / union[i])) for i in np.flatnonzero(union)
    }
    if not classes:
        raise DataError("no pixel of the masks is labelled with a class that counts")
    miou = float(np.mean([each.iou for each in classes.values()]))
    return Overlap(miou, float(right.sum() / matrix.sum()), classes)


def read_mask(path: Path) -> NDArray[np.int64]:
    """Class ids [height, width] of a grey PNG, or of one with a palette, whose colours don't matter."""
    try:
        with av.open(str(path)) as container:
            frame = next(container.decode(video=0))
    except (av.FFmpegError, OSError, StopIteration) as error:
        raise DataError(f"{path}: not a PNG that can be read: {one_line(error)}") from None
    if frame.format.name not in ("gray", "gray16be", "pal8"):
        raise DataError(
            f"{path}: expected class ids in a grey PNG of 8 or 16 bits or one with a palette, found "
            f"{frame.format.name}"
        )
    pixels: Any = frame.to_ndarray()  # with a palette: the ids and the palette
    return np.asarray(pixels[0] if isinstance(pixels, tuple) else pixels, np.int64)
