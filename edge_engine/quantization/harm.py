"""Harm: how far a quantized model's answer to a picture lies from the float model's, 0 (the same) to 1.

Other than agreement it moves with every small change, so that layers can be compared by it on few pictures.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge_engine.evaluation.pose import sigmas_for
from edge_engine.result import Answer, Objects, Segmentation, Tags


def harm(truth: Sequence[Answer], found: Sequence[Answer], threshold: float) -> float:
    """The mean over pictures. Objects count where one of the two has them above the threshold."""
    return float(np.mean([_harm(t, f, threshold) for t, f in zip(truth, found, strict=True)]))


def _harm(truth: Answer, found: Answer, threshold: float) -> float:
    if isinstance(truth, Segmentation):
        assert isinstance(found, Segmentation)
        differing = int(np.count_nonzero(truth.class_ids != found.class_ids))
        return differing / int(truth.class_ids.size)
    if isinstance(truth, Tags):
        assert isinstance(found, Tags)
        return _of_tags(truth, found)
    assert isinstance(truth, Objects)
    assert isinstance(found, Objects)
    return (_missed(truth, found, threshold) + _missed(found, truth, threshold)) / 2


def _of_tags(truth: Tags, found: Tags) -> float:
    """Half the scores that moved from one label to another."""
    said, says = (dict(zip(a.class_ids.tolist(), a.scores.tolist(), strict=True)) for a in (truth, found))
    moved = float(sum(abs(said.get(i, 0.0) - says.get(i, 0.0)) for i in said | says))
    return min(1.0, moved / 2)


def _missed(sought: Objects, among: Objects, threshold: float) -> float:
    """The mean over the objects sought, weighted by their scores: 1 less the best match's overlap times the
    ratio of both scores."""
    there = np.flatnonzero(sought.scores >= threshold)
    if not there.size:
        return 0.0
    missed = np.ones(there.size)
    for place, i in enumerate(there.tolist()):
        same = np.flatnonzero(among.class_ids == sought.class_ids[i])
        if same.size:
            scores = among.scores[same] / sought.scores[i]
            fits = _closeness(sought, i, among, same) * np.minimum(scores, 1 / np.maximum(scores, 1e-6))
            missed[place] = 1 - fits.max()
    return float(np.average(missed, weights=sought.scores[there]))


def _closeness(sought: Objects, i: int, among: Objects, same: NDArray[np.intp]) -> NDArray[np.float64]:
    if sought.keypoints is not None and among.keypoints is not None:
        left, top, right, bottom = sought.boxes_xyxy[i].tolist()
        area = max((right - left) * (bottom - top), 1.0)
        apart = ((among.keypoints[same, :, :2] - sought.keypoints[i, :, :2]) ** 2).sum(axis=2)
        sigmas = sigmas_for(apart.shape[1])
        return np.asarray(np.exp(-apart / (8 * area * sigmas**2)).mean(axis=1), np.float64)
    fits = _overlaps(sought.boxes_xyxy[i], among.boxes_xyxy[same])
    if sought.masks is not None and among.masks is not None:
        mine, theirs = sought.masks[i] > 0, among.masks[same] > 0
        both, either = (mine & theirs).sum(axis=(1, 2)), (mine | theirs).sum(axis=(1, 2))
        fits = np.minimum(fits, both / np.maximum(either, 1))
    return fits


def _overlaps(box: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float64]:
    """Intersection over union of a box with others, x1 y1 x2 y2."""
    inner = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    both = np.clip(inner, 0, None).prod(axis=1)
    areas = (others[:, 2:] - others[:, :2]).prod(axis=1) + (box[2:] - box[:2]).prod()
    return np.asarray(both / np.maximum(areas - both, 1e-9), np.float64)
