"""Classification: how often a picture's class is the first, or among the first five, of a model's answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge_engine.evaluation.datasets import Dataset, Picture
from edge_engine.evaluation.labels import Matching
from edge_engine.evaluation.report import ClassHits, Hits
from edge_engine.models.spec import ModelSpec
from edge_engine.result import Answer, Tags

_FEW = 5
_LAST = 1 << 30


class ClassificationJudge:
    """`look` is called by the threads that infer, the rest by one thread."""

    score_threshold = 0.0

    def __init__(self, dataset: Dataset, matching: Matching, spec: ModelSpec) -> None:
        self._matching = matching
        self._n_labels = len(spec.labels)
        self._most_named = 0
        self._ranks: dict[int, list[int]] = {}

    def look(self, picture: Picture, size: tuple[int, int], answer: Answer) -> tuple[int, int, int]:
        """The picture's class, its place in the answer from 0, and how many the answer names."""
        assert isinstance(answer, Tags)
        class_id = self._matching.class_ids[picture.class_id]
        places = np.flatnonzero(answer.class_ids == class_id)
        return class_id, int(places[0]) if places.size else _LAST, len(answer)

    def add(self, seen: tuple[int, int, int]) -> None:
        class_id, rank, named = seen
        if class_id >= 0:
            self._ranks.setdefault(class_id, []).append(rank)
            self._most_named = max(self._most_named, named)

    def judge(self) -> dict[str, Hits]:
        # A class whose score is 0 isn't named, and isn't among the first five; but a model that never names
        # five can't be asked for them.
        has_five = self._most_named >= min(_FEW, self._n_labels)

        def hits(ranks: Sequence[int]) -> tuple[float, float | None]:
            top5 = float(np.mean(np.array(ranks) < _FEW)) if has_five else None
            return float(np.mean(np.array(ranks) == 0)), top5

        classes = {
            self._matching.labels[i]: ClassHits(len(ranks), *hits(ranks))
            for i, ranks in sorted(self._ranks.items())
        }
        everything = [rank for ranks in self._ranks.values() for rank in ranks]
        return {"classification": Hits(*hits(everything), classes)}
