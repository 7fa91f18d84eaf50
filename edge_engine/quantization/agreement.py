"""Agreement: how far a quantized model says what the float model says, whose answers are taken as the truth.

Objects: COCO's average precision at an overlap of 0.5, of boxes, masks, or keypoints by OKS, with the float
model's objects above its own threshold as labels. Classification: how often the first class is the same,
where the float model is decided: its second class has at most 0.7 of the first one's score. Tagging: the
share of labels that both give. Segmentation: mIoU, over the classes that the float model sees in at least a
hundredth of all that it is shown: what it sees in a few cells here and there is noise in itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge_engine.errors import DataError
from edge_engine.evaluation.detection import boxes_xywh, encoded
from edge_engine.evaluation.pose import sigmas_for
from edge_engine.evaluation.precision import Comparison, Row, Seen, average_precision
from edge_engine.evaluation.segmentation import confusion, overlap
from edge_engine.models.spec import ModelSpec, Task
from edge_engine.quantization.report import Agreement
from edge_engine.result import Answer, Objects, Segmentation, Tags

# Below this no object counts in any average precision.
LOWEST_SCORE = 0.001
_LEAST_SHARE = 0.01
_UNDECIDED = 0.7
_COMPARISONS: dict[Task, tuple[Comparison, ...]] = {
    "detection": ("bbox",),
    "instance-segmentation": ("bbox", "segm"),
    "pose": ("keypoints",),
}
_MEASURES: dict[Comparison, str] = {"bbox": "box AP50", "segm": "mask AP50", "keypoints": "keypoint AP50"}


def threshold_for(spec: ModelSpec, answers: Sequence[Answer], wanted: int) -> float:
    """Above which the float model's objects are taken as the truth: its own threshold; where that leaves less
    than `wanted` in all pictures, the score that leaves so many. DataError when there is nothing at all."""
    if not isinstance(answers[0], Objects):
        return spec.score_threshold
    scores = np.sort(np.concatenate([answer.scores for answer in answers if isinstance(answer, Objects)]))
    if not scores.size:
        raise DataError(
            "the float model finds nothing in these pictures, so that there is nothing to agree on: "
            "give pictures that show what it recognises"
        )
    return min(spec.score_threshold, float(scores[max(0, scores.size - wanted)]))


def agreement(
    spec: ModelSpec, truth: Sequence[Answer], found: Sequence[Answer], threshold: float
) -> Agreement:
    """Of the answers to the same pictures, in pixels of the model's input; objects down to LOWEST_SCORE."""
    if isinstance(truth[0], Segmentation):
        return Agreement("mIoU", _same_cells(spec, truth, found))
    if isinstance(truth[0], Tags):
        return _same_tags(spec, truth, found, threshold)
    size = (spec.input.width, spec.input.height)
    worst: Agreement | None = None
    for by in _COMPARISONS[spec.task]:
        seen = [_seen(by, size, t, f, threshold) for t, f in zip(truth, found, strict=True)]
        keypoints = next(
            (
                a.keypoints.shape[1]
                for a in truth
                if isinstance(a, Objects) and len(a) and a.keypoints is not None
            ),
            1,
        )
        measured = average_precision(by, spec.labels, seen, sigmas_for(keypoints))
        each = Agreement(_MEASURES[by], measured.ap50 or 0.0, measured.ap, _objects(seen))
        worst = each if worst is None or each.value < worst.value else worst
    assert worst is not None
    return worst


def _objects(seen: Sequence[Seen]) -> int:
    return sum(len(each.labelled) for each in seen)


def _seen(by: Comparison, size: tuple[int, int], truth: Answer, found: Answer, threshold: float) -> Seen:
    assert isinstance(truth, Objects)
    assert isinstance(found, Objects)
    boxes, places, answers = boxes_xywh(truth), _places(by, size, truth), _places(by, size, found)
    labelled: list[Row] = []
    for i in np.flatnonzero(truth.scores >= threshold).tolist():
        row: Row = {
            "category_id": int(truth.class_ids[i]),
            "bbox": boxes[i].tolist(),
            "area": float(boxes[i, 2] * boxes[i, 3]),
            "iscrowd": 0,
        }
        if by == "segm":
            row["segmentation"] = places[i]
        elif by == "keypoints":
            points = np.array(places[i]).reshape(-1, 3)
            points[:, 2] = 2
            row |= {"keypoints": points.ravel().tolist(), "num_keypoints": len(points)}
        labelled.append(row)
    return Seen(size, labelled, found.class_ids, found.scores, {by: answers})


def _places(by: Comparison, size: tuple[int, int], objects: Objects) -> Sequence[Row] | NDArray[np.float64]:
    if by == "segm":
        return [encoded(objects, np.intp(i), size) for i in range(len(objects))]
    if by == "keypoints":
        if not len(objects):
            return np.empty((0, 3))
        assert objects.keypoints is not None
        return objects.keypoints.astype(np.float64).reshape(len(objects), -1)
    return boxes_xywh(objects)


def _same_tags(
    spec: ModelSpec, truth: Sequence[Answer], found: Sequence[Answer], threshold: float
) -> Agreement:
    pairs = [(t, f) for t, f in zip(truth, found, strict=True) if isinstance(t, Tags) and isinstance(f, Tags)]
    if spec.task == "classification":
        same = [t.class_ids[:1].tolist() == f.class_ids[:1].tolist() for t, f in pairs]
        decided = [each for each, (t, _) in zip(same, pairs, strict=True) if _is_decided(t)] or same
        of_all = float(np.mean(same))
        return Agreement("same class", float(np.mean(decided)), judged=len(decided), of_all=of_all)
    shares = []
    for pair in pairs:
        said, says = ({*a.class_ids[a.scores >= threshold].tolist()} for a in pair)
        shares.append(len(said & says) / len(said | says) if said | says else 1.0)
    return Agreement("same tags", float(np.mean(shares)), judged=len(shares))


def _is_decided(tags: Tags) -> bool:
    return len(tags) < 2 or bool(tags.scores[1] <= _UNDECIDED * tags.scores[0])


def _same_cells(spec: ModelSpec, truth: Sequence[Answer], found: Sequence[Answer]) -> float:
    classes = len(spec.labels)
    matrix = np.zeros((classes, classes), np.int64)
    for t, f in zip(truth, found, strict=True):
        assert isinstance(t, Segmentation)
        assert isinstance(f, Segmentation)
        matrix += confusion(t.class_ids.astype(np.int64), f.class_ids.astype(np.int64), classes)
    judged = overlap(matrix, spec.labels).classes.values()
    fewest = _LEAST_SHARE * matrix.sum()
    return float(np.mean([each.iou for each in judged if each.pixels >= fewest]))
