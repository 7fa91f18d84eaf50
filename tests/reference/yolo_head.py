"""decode_head: YOLO's boxes and what is said of each more, one anchor at a time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tests.reference.nms import nms_reference


class Found(NamedTuple):
    """`boxes_xyxy` float32 [n, 4], `scores` [n], `class_ids` int [n], `extras` float32 [n, E]."""

    boxes_xyxy: NDArray[np.float32]
    scores: NDArray[np.float32]
    class_ids: NDArray[np.int32]
    extras: NDArray[np.float32]


def as_output(
    form: str, boxes_cxcywh: NDArray[np.float32], scores: NDArray[np.float32], extras: NDArray[np.float32]
) -> NDArray[np.float32]:
    """An output of this form from [n, 4], [n, classes] and [n, E]."""
    if form == "columns":
        return np.concatenate([boxes_cxcywh, scores, extras], axis=1).T[None].copy()
    if form == "objectness":
        objectness = np.sqrt(scores.max(axis=1, keepdims=True))
        given = scores / np.maximum(objectness, np.float32(1e-6))
        return np.concatenate([boxes_cxcywh, objectness, given, extras], axis=1)[None]
    corners = np.concatenate(
        [boxes_cxcywh[:, :2] - boxes_cxcywh[:, 2:] / 2, boxes_cxcywh[:, :2] + boxes_cxcywh[:, 2:] / 2], axis=1
    )
    best = np.stack([scores.max(axis=1), scores.argmax(axis=1)], axis=1)
    return np.concatenate([corners, best, extras], axis=1, dtype=np.float32)[None]


def decode_head(
    form: str, output: NDArray[np.float32], classes: int, score_threshold: float, iou_threshold: float
) -> Found:
    """What is above the score's threshold, suppressed unless it is end-to-end, best first."""
    anchors = output[0].T if form == "columns" else output[0]
    width = {"columns": 4 + classes, "objectness": 5 + classes, "end-to-end": 6}[form]
    boxes, scores, class_ids, extras = [], [], [], []
    for anchor in anchors:
        box, score, class_id = _read(form, anchor, classes)
        if score >= np.float32(score_threshold) and box[2] > box[0] and box[3] > box[1]:
            boxes.append(box)
            scores.append(score)
            class_ids.append(class_id)
            extras.append(anchor[width:])
    found = Found(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(scores, np.float32),
        np.array(class_ids, np.int32),
        np.array(extras, np.float32).reshape(len(boxes), anchors.shape[1] - width),
    )
    if form == "end-to-end":
        kept = np.argsort(-found.scores, kind="stable")
    else:
        kept = nms_reference(found.boxes_xyxy, found.scores, found.class_ids, iou_threshold)
    return Found(*(array[kept[:300]] for array in found))


def _read(form: str, anchor: NDArray[np.float32], classes: int) -> tuple[list[np.float32], np.float32, int]:
    if form == "end-to-end":
        return list(anchor[:4]), anchor[4], int(anchor[5])
    x, y, width, height = anchor[:4]
    first = 4 if form == "columns" else 5
    scores = anchor[first : first + classes] * (np.float32(1) if form == "columns" else anchor[4])
    class_id = int(scores.argmax())
    return [x - width / 2, y - height / 2, x + width / 2, y + height / 2], scores[class_id], class_id
