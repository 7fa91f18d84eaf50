"""Tagging: for each label, how well its scores rank the pictures, and how right it is at its threshold.

Average precision is the area under precision over recall in steps, Σ (Rₙ - Rₙ₋₁) Pₙ over the scores, equal
ones together (scikit-learn, `average_precision_score`). F1 is 2 · right / (labelled + found), the micro mean
over all labels' pictures together, the macro mean over labels.
"""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from edge_engine.errors import DataError
from edge_engine.evaluation.datasets import Dataset, Picture
from edge_engine.evaluation.labels import Matching
from edge_engine.evaluation.report import LabelTags, TagScores
from edge_engine.models.families.limits import Limits
from edge_engine.models.spec import ModelSpec
from edge_engine.result import Answer, Tags

Row = tuple[NDArray[np.bool_], NDArray[np.float32]]


class TaggingJudge:
    """`look` is called by the threads that infer, the rest by one thread."""

    score_threshold = 0.0

    def __init__(self, dataset: Dataset, matching: Matching, spec: ModelSpec) -> None:
        self._matching = matching
        self._limits = Limits(replace(spec, classes=())).of(spec.score_threshold)
        self._rows: list[Row] = []

    def look(self, picture: Picture, size: tuple[int, int], answer: Answer) -> Row:
        """Of each of the model's labels whether the picture is labelled so, and its score, 0 without one."""
        assert isinstance(answer, Tags)
        labelled, scores = np.zeros(len(self._limits), bool), np.zeros(len(self._limits), np.float32)
        meant = [self._matching.class_ids[class_id] for class_id in picture.tags]
        labelled[[class_id for class_id in meant if class_id >= 0]] = True
        scores[answer.class_ids] = answer.scores
        return labelled, scores

    def add(self, seen: Row) -> None:
        self._rows.append(seen)

    def judge(self) -> dict[str, TagScores]:
        labelled = np.array([row for row, _ in self._rows])
        scores = np.array([row for _, row in self._rows])
        found = (scores >= self._limits) & (scores > 0)
        judged = sorted(self._matching.judged)
        that_count = [i for i in judged if labelled[:, i].any() or found[:, i].any()]
        if not labelled[:, judged].any():
            raise DataError("no picture is labelled with a label that counts")
        labels = {
            self._matching.labels[i]: LabelTags(
                labelled=int(labelled[:, i].sum()),
                threshold=float(self._limits[i]),
                ap=average_precision(labelled[:, i], scores[:, i]),
                f1=f1(labelled[:, i], found[:, i]),
            )
            for i in that_count
        }
        aps = [each.ap for each in labels.values() if each.ap is not None]
        return {
            "tagging": TagScores(
                map=float(np.mean(aps)),
                micro_f1=f1(labelled[:, judged], found[:, judged]),
                macro_f1=float(np.mean([each.f1 for each in labels.values()])),
                labels=labels,
            )
        }


def average_precision(labelled: NDArray[np.bool_], scores: NDArray[np.float32]) -> float | None:
    """Of n pictures, bool [n] and float32 [n]; None where none is labelled."""
    if not labelled.any():
        return None
    order = np.argsort(-scores, kind="stable")
    ranked, right = scores[order], np.cumsum(labelled[order])
    lasts = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), len(ranked) - 1)  # of equal scores
    precision, recall = right[lasts] / (lasts + 1), right[lasts] / right[-1]
    return float(np.sum(np.diff(recall, prepend=0) * precision))


def f1(labelled: NDArray[np.bool_], found: NDArray[np.bool_]) -> float:
    """0..1; both bool, of one shape."""
    total = int(labelled.sum() + found.sum())
    return 2 * int((labelled & found).sum()) / total if total else 0.0
