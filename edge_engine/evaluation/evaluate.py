"""Evaluate: a model and a dataset → the report, through the judge of the model's task."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any, Protocol

from edge_engine.clock import NS_PER_S, monotonic_ns
from edge_engine.errors import DataError
from edge_engine.evaluation.classification import ClassificationJudge
from edge_engine.evaluation.datasets import Dataset, Picture, spread
from edge_engine.evaluation.detection import DetectionJudge
from edge_engine.evaluation.labels import Matching, match
from edge_engine.evaluation.pose import PoseJudge
from edge_engine.evaluation.report import REPORT_VERSION, Accuracy, Subject
from edge_engine.evaluation.run import answers
from edge_engine.evaluation.segmentation import SegmentationJudge
from edge_engine.evaluation.tagging import TaggingJudge
from edge_engine.models.model import Model
from edge_engine.models.names import some
from edge_engine.models.spec import ModelSpec, Task
from edge_engine.result import Answer


class Judge(Protocol):
    """`look` is called by several threads at a time and keeps nothing; `add` gets what it made of a picture,
    one by one."""

    score_threshold: float

    def look(self, picture: Picture, size: tuple[int, int], answer: Answer) -> Any: ...  # noqa: ANN401

    def add(self, seen: Any) -> None: ...  # noqa: ANN401

    def judge(self) -> dict[str, Any]:
        """Fields of Accuracy."""
        ...


_JUDGES: dict[Task, Callable[[Dataset, Matching, ModelSpec], Judge]] = {
    "detection": DetectionJudge,
    "instance-segmentation": DetectionJudge,
    "pose": PoseJudge,
    "classification": ClassificationJudge,
    "segmentation": SegmentationJudge,
    "tagging": TaggingJudge,
}


def evaluate(
    model: Model,
    dataset: Dataset,
    limit: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    spec: ModelSpec | None = None,
) -> Accuracy:
    """`limit`: at most so many pictures, evenly spread. `on_progress` is told how many are done, of how many.
    `spec`: the model's with what is asked for in place; its classes are the only ones that are judged.

    Raises DataError when the data doesn't fit the model.
    """
    spec = spec or model.spec
    if spec.task not in dataset.tasks:
        fits = " or ".join(sorted(dataset.tasks))
        raise DataError(
            f"{dataset.path}: {dataset.kind} with labels for {fits}, but model {spec.name} does {spec.task}"
        )
    matching = match(dataset, spec)
    pictures = spread(_that_count(dataset, matching), limit)
    judge = _JUDGES[spec.task](dataset, matching, spec)
    started_ns = monotonic_ns()
    for done, seen in enumerate(answers(model, pictures, judge.look, judge.score_threshold), 1):
        judge.add(seen)
        if on_progress is not None:
            on_progress(done, len(pictures))
    seconds = (monotonic_ns() - started_ns) / NS_PER_S
    digest = hashlib.sha256(model.path.read_bytes()).hexdigest()
    return Accuracy(
        version=REPORT_VERSION,
        created_utc=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        subject=Subject(spec.name, digest, spec.task, spec.family, model.setting.provider),
        data=str(dataset.path),
        kind=dataset.kind,
        pictures=len(pictures),
        of_pictures=len(dataset.pictures),
        score_threshold=judge.score_threshold,
        iou_threshold=spec.iou_threshold,
        seconds=seconds,
        left_out=matching.left_out,
        notes=(*dataset.notes, *_notes(matching, spec)),
        **judge.judge(),
    )


def _that_count(dataset: Dataset, matching: Matching) -> list[Picture]:
    """All but those that show, as a whole, what the model has no label for."""
    return [p for p in dataset.pictures if p.class_id < 0 or matching.class_ids[p.class_id] >= 0]


def _notes(matching: Matching, spec: ModelSpec) -> list[str]:
    notes = (
        []
        if matching.is_by_name
        else ["the data doesn't name its classes: they are taken as the model's own"]
    )
    if matching.unlabelled:
        notes.append(f"{len(matching.unlabelled)} of the model's labels are not in the data, and not judged")
    if spec.classes:
        notes.append(f"only those asked for are judged: {some(spec.classes)}")
    return notes
