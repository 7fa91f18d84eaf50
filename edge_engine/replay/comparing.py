"""Comparing: what a frame's new result says otherwise than the recorded one, beyond tolerances.

Objects are paired by class and overlap, at the largest sum of IoU (tracking/association.py, lapx's solver).
One without a partner counts only if its score is above its threshold by more than the tolerance for scores:
what lies at the threshold comes and goes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge_engine.tracking.association import Boxes, associate
from edge_engine.wire import DescribeMessage, Mask, ObjectRow, ResultMessage, TagRow

_LEAST_IOU = 0.1  # less is another object
_LEAST_SCORE = 0.2  # a keypoint below it lies anywhere

Kind: TypeAlias = Literal["missing", "extra", "box", "score", "mask", "keypoints", "track", "tag", "share"]


class Tolerances(msgspec.Struct, frozen=True, kw_only=True):
    """How far apart two answers may be and still be the same. `iou`: how much boxes, and masks, overlap at
    least. `score`, of objects and tags, and `share`, of a segmentation's classes in the picture: at most.
    `keypoint`: how far one may have moved, in parts of its box's diagonal."""

    iou: float = 0.9
    score: float = 0.05
    share: float = 0.02
    keypoint: float = 0.05


class Difference(NamedTuple):
    """`amount`: 0..1, for the order of what is worst."""

    kind: Kind
    what: str
    amount: float


class Comparer:
    """Of one stream, frame by frame in their order. `compares_tracks`: ids mean the same on both sides, since
    no frame is missing from the recording."""

    def __init__(
        self,
        tolerances: Tolerances,
        recorded: DescribeMessage,
        replayed: DescribeMessage,
        *,
        compares_tracks: bool,
    ) -> None:
        self._tolerances = tolerances
        self._recorded, self._replayed = recorded, replayed
        self._compares_tracks = compares_tracks
        self._new_ids: dict[int, int] = {}

    def differences(self, recorded: ResultMessage, replayed: ResultMessage) -> list[Difference]:
        found = self._of_objects(recorded.objects, replayed.objects)
        found += self._of_tags(recorded.tags, replayed.tags)
        found += self._of_shares(
            recorded.segmentation.shares if recorded.segmentation else {},
            replayed.segmentation.shares if replayed.segmentation else {},
        )
        return sorted(found, key=lambda each: -each.amount)

    def _of_objects(self, old: Sequence[ObjectRow], new: Sequence[ObjectRow]) -> list[Difference]:
        pairs = _pairs(old, new)
        found = [each for i, j in pairs for each in self._of_pair(old[i], new[j])]
        alone_old = set(range(len(old))) - {i for i, _ in pairs}
        alone_new = set(range(len(new))) - {j for _, j in pairs}
        found += [self._alone("missing", old[i], self._recorded) for i in alone_old]
        found += [self._alone("extra", new[j], self._replayed) for j in alone_new]
        return [each for each in found if each.amount > 0]

    def _alone(self, kind: Kind, row: ObjectRow, of: DescribeMessage) -> Difference:
        surely = of.label_thresholds.get(row.label, of.score_threshold) + self._tolerances.score
        return Difference(kind, f"{row.label} {row.score:.2f}", row.score if row.score > surely else 0.0)

    def _of_pair(self, old: ObjectRow, new: ObjectRow) -> list[Difference]:
        limits = self._tolerances
        found = []
        if (overlap := iou(old.xyxy, new.xyxy)) < limits.iou:
            found.append(Difference("box", f"{old.label} IoU {overlap:.2f}", 1 - overlap))
        if (by := abs(old.score - new.score)) > limits.score:
            found.append(Difference("score", f"{old.label} {old.score:.2f} → {new.score:.2f}", by))
        if old.mask and new.mask and (overlap := mask_iou(old.mask, new.mask)) < limits.iou:
            found.append(Difference("mask", f"{old.label} IoU {overlap:.2f}", 1 - overlap))
        if (moved := _moved(old, new)) > limits.keypoint:
            found.append(Difference("keypoints", f"{old.label} moved by {moved:.2f}", min(moved, 1.0)))
        if self._compares_tracks and old.track_id is not None and new.track_id is not None:
            found += self._of_tracks(old.label, old.track_id, new.track_id)
        return found

    def _of_tracks(self, label: str, old: int, new: int) -> list[Difference]:
        """Ids may be other numbers, but whoever keeps one keeps the other."""
        expected = self._new_ids.get(old, new)
        self._new_ids[old] = new
        if expected == new:
            return []
        return [Difference("track", f"{label} #{old}: was #{expected}, is #{new}", 1.0)]

    def _of_tags(self, old: Sequence[TagRow], new: Sequence[TagRow]) -> list[Difference]:
        found = []
        scores = [{row.label: row.score for row in rows} for rows in (old, new)]
        for label in {**scores[0], **scores[1]}:
            before, after = (self._tag_score(label, each) for each in scores)
            if (by := abs(before - after)) > self._tolerances.score:
                found.append(Difference("tag", f"{label} {before:.2f} → {after:.2f}", by))
        return found

    def _tag_score(self, label: str, scores: Mapping[str, float]) -> float:
        """Of one that isn't among those given, the most that it can have: that of the last of the best few,
        or the threshold."""
        if label in scores or not scores:
            return scores.get(label, 0.0)
        if self._recorded.task == "classification":
            return min(scores.values())
        return self._recorded.label_thresholds.get(label, self._recorded.score_threshold)

    def _of_shares(self, old: Mapping[str, float], new: Mapping[str, float]) -> list[Difference]:
        found = []
        for label in {**old, **new}:
            before, after = old.get(label, 0.0), new.get(label, 0.0)
            if abs(before - after) > self._tolerances.share:
                what = f"{label} {100 * before:.1f} % → {100 * after:.1f} %"
                found.append(Difference("share", what, abs(before - after)))
        return found


def _pairs(old: Sequence[ObjectRow], new: Sequence[ObjectRow]) -> list[tuple[int, int]]:
    """Rows of both that show one object, of the same label."""
    numbers = {label: number for number, label in enumerate({row.label for row in (*old, *new)})}

    def boxes(rows: Sequence[ObjectRow]) -> Boxes:
        xyxy = np.array([row.xyxy for row in rows], np.float64).reshape(-1, 4)
        return Boxes(xyxy, np.array([numbers[row.label] for row in rows], np.int32), np.ones(len(rows)))

    mine, theirs = associate(boxes(old), boxes(new), 1 - _LEAST_IOU)
    return list(zip(mine.tolist(), theirs.tolist(), strict=True))


def iou(a: Sequence[float], b: Sequence[float]) -> float:
    """Of two boxes, left, top, right, bottom; of two without an area 1 where they are the same."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    inside = max(width, 0.0) * max(height, 0.0)
    both = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inside
    return inside / both if both > 0 else float(tuple(a) == tuple(b))


def mask_iou(a: Mask, b: Mask) -> float:
    """0 for grids of different sizes, which can't be compared."""
    if a.size != b.size:
        return 0.0
    inside_a, inside_b = _cells(a), _cells(b)
    both = np.count_nonzero(inside_a | inside_b)
    return float(np.count_nonzero(inside_a & inside_b) / both) if both else 1.0


def _cells(mask: Mask) -> NDArray[np.bool_]:
    return np.repeat(np.arange(len(mask.counts)) % 2 == 1, mask.counts)


def _moved(old: ObjectRow, new: ObjectRow) -> float:
    """The farthest of the keypoints that both see, in parts of the recorded box's diagonal."""
    diagonal = float(np.hypot(old.xyxy[2] - old.xyxy[0], old.xyxy[3] - old.xyxy[1]))
    distances = [
        float(np.hypot(x - u, y - v))
        for (x, y, seen), (u, v, seen_too) in zip(old.keypoints, new.keypoints, strict=False)
        if min(seen, seen_too) >= _LEAST_SCORE
    ]
    return max(distances, default=0.0) / max(diagonal, 1.0)
