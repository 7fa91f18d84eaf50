"""Pose: COCO's average precision of keypoints, with object keypoint similarity (OKS) in place of overlap."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_engine.errors import DataError
from edge_engine.evaluation.datasets import Dataset, Labelled, Picture
from edge_engine.evaluation.detection import annotation, labelled_objects, that_count
from edge_engine.evaluation.labels import Matching
from edge_engine.evaluation.precision import Row, Seen, average_precision, import_library
from edge_engine.evaluation.report import AveragePrecision
from edge_engine.models.names import some
from edge_engine.models.spec import ModelSpec
from edge_engine.result import Answer, Objects

# How far apart people set each of a person's 17 keypoints (cocodataset.org, "keypoint evaluation"): nose,
# eyes, ears, shoulders, elbows, wrists, hips, knees, ankles.
_PAIRS = (0.025, 0.035, 0.079, 0.072, 0.062, 0.107, 0.087, 0.089)
PERSON_SIGMAS = np.array([0.026, *np.repeat(_PAIRS, 2)])


class PoseJudge:
    """`look` is called by the threads that infer, the rest by one thread."""

    score_threshold = 0.001

    def __init__(self, dataset: Dataset, matching: Matching, spec: ModelSpec) -> None:
        import_library()
        self._matching = matching
        self._labels_have = _keypoints(dataset)
        self._order = _order(dataset, spec, self._labels_have)
        self._model_has = len(spec.keypoint_names) or self._labels_have
        self._seen: list[Seen] = []

    def look(self, picture: Picture, size: tuple[int, int], answer: Answer) -> Seen:
        assert isinstance(answer, Objects)
        labelled = [
            annotation(each, class_id) | self._points(each)
            for each, class_id in labelled_objects(picture, size, self._matching)
        ]
        judged = that_count(answer, self._matching)
        in_turn = np.empty((0, 3 * self._labels_have))
        if len(answer):
            in_turn = self._in_turn(picture, answer)[judged]
        return Seen(size, labelled, answer.class_ids[judged], answer.scores[judged], {"keypoints": in_turn})

    def _in_turn(self, picture: Picture, objects: Objects) -> NDArray[np.float64]:
        """Each object's x, y, score, x, y, score …, in the order of the data's keypoints."""
        assert objects.keypoints is not None
        found = objects.keypoints.shape[1]
        if found != self._model_has:
            raise DataError(
                f"{picture.path}: the model found {found} keypoints, expected {self._model_has} as the data "
                "or the model's keypoint names have it"
            )
        return objects.keypoints[:, self._order].astype(np.float64).reshape(len(objects), -1)

    def _points(self, labelled: Labelled) -> Row:
        """An object without keypoints is one of which none is visible."""
        points = labelled.keypoints or (0.0,) * (3 * self._labels_have)
        return {"keypoints": list(points), "num_keypoints": sum(seen > 0 for seen in points[2::3])}

    def add(self, seen: Seen) -> None:
        self._seen.append(seen)

    def judge(self) -> dict[str, AveragePrecision]:
        sigmas = sigmas_for(self._labels_have)
        return {"keypoints": average_precision("keypoints", self._matching.labels, self._seen, sigmas)}


def sigmas_for(keypoints: int) -> NDArray[np.float64]:
    """COCO's for a person's 17, else all alike, 1 / keypoints, as Ultralytics has it."""
    if keypoints == len(PERSON_SIGMAS):
        return PERSON_SIGMAS
    return np.full(keypoints, 1 / keypoints)


def _keypoints(dataset: Dataset) -> int:
    """How many an object has in the labels."""
    found = {len(o.keypoints) // 3 for p in dataset.pictures for o in p.objects if o.keypoints}
    if len(found) != 1:
        raise DataError(
            f"{dataset.path}: its objects have {sorted(found)} keypoints; expected one number of them"
        )
    return found.pop()


def _order(dataset: Dataset, spec: ModelSpec, count: int) -> list[int]:
    """The model's number of each of the data's keypoints: by their names, or in turn where there are none."""
    if not dataset.keypoint_names or not spec.keypoint_names:
        if spec.keypoint_names and len(spec.keypoint_names) != count:
            raise DataError(
                f"{dataset.path}: its objects have {count} keypoints without names, model {spec.name} has "
                f"{len(spec.keypoint_names)}"
            )
        return list(range(count))
    known = {_plain(name): i for i, name in enumerate(spec.keypoint_names)}
    missing = [name for name in dataset.keypoint_names if _plain(name) not in known]
    if missing:
        raise DataError(f"{dataset.path}: model {spec.name} lacks the data's keypoints {some(missing)}")
    return [known[_plain(name)] for name in dataset.keypoint_names]


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").replace(" ", "").casefold()
