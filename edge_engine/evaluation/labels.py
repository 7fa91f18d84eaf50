"""Labels: which of a model's labels is meant by each of a dataset's, by their names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from edge_engine.errors import DataError
from edge_engine.evaluation.datasets import Dataset
from edge_engine.models.spec import ModelSpec

_SHOWN = 5
# What Pascal VOC, and Darknet after it, call some of COCO's classes.
_ALIASES = {"aeroplane": "airplane", "motorbike": "motorcycle", "sofa": "couch", "tvmonitor": "tv"}


@dataclass(frozen=True)
class Matching:
    """`class_ids`: the model's class id of each of the dataset's labels, -1 where it has none.

    `left_out`: those of the dataset that the model can't say, `unlabelled`: those of the model that the
    dataset doesn't label; neither counts.
    """

    class_ids: tuple[int, ...]
    labels: tuple[str, ...]
    left_out: tuple[str, ...]
    unlabelled: tuple[str, ...]
    is_by_name: bool

    @property
    def judged(self) -> frozenset[int]:
        """The model's class ids that count."""
        return frozenset(class_id for class_id in self.class_ids if class_id >= 0)


def match(dataset: Dataset, spec: ModelSpec) -> Matching:
    """Names match whatever their case and spacing; a model's may list synonyms, with commas between.

    DataError when they have none in common.
    """
    if dataset.labels is None:
        _expect_known(dataset, spec)
        return Matching(tuple(range(len(spec.labels))), spec.labels, (), (), is_by_name=False)
    known = _meanings(spec.labels)
    class_ids = tuple(known.get(_plain(label), -1) for label in dataset.labels)
    _expect_one_each(dataset, class_ids, spec)
    if max(class_ids, default=-1) < 0:
        raise DataError(
            f"{dataset.path}: model {spec.name} has none of its labels; it has {some(spec.labels)}, the data "
            f"has {some(dataset.labels)}; a YAML file beside the model can name what its labels are"
        )
    left_out = tuple(label for label, i in zip(dataset.labels, class_ids, strict=True) if i < 0)
    unlabelled = tuple(label for i, label in enumerate(spec.labels) if i not in class_ids)
    return Matching(class_ids, spec.labels, left_out, unlabelled, is_by_name=True)


def some(labels: Sequence[str]) -> str:
    """The first few, for a line."""
    shown = ", ".join(labels[:_SHOWN])
    return f"{shown} … ({len(labels)} in all)" if len(labels) > _SHOWN else shown


def _meanings(labels: Sequence[str]) -> dict[str, int]:
    """Names → index. A name that two labels share means neither."""
    whole = _unique([(label, i) for i, label in enumerate(labels)])
    parts = _unique([(part, i) for i, label in enumerate(labels) for part in label.split(",")])
    return parts | whole


def _unique(names: list[tuple[str, int]]) -> dict[str, int]:
    plain = {(_plain(name), i) for name, i in names}
    times = Counter(name for name, _ in plain)
    return {name: i for name, i in plain if times[name] == 1}


def _plain(name: str) -> str:
    plain = re.sub(r"[\s_-]+", "", name).casefold()
    return _ALIASES.get(plain, plain)


def _expect_known(dataset: Dataset, spec: ModelSpec) -> None:
    for picture in dataset.pictures:
        highest = max((labelled.class_id for labelled in picture.objects), default=0)
        if highest >= len(spec.labels):
            raise DataError(
                f"{picture.path}: is labelled with class {highest}, model {spec.name} has {len(spec.labels)} "
                "labels; name the data's classes in a data.yaml, so that they can be matched"
            )


def _expect_one_each(dataset: Dataset, class_ids: Sequence[int], spec: ModelSpec) -> None:
    twice = [i for i, times in Counter(i for i in class_ids if i >= 0).items() if times > 1]
    if twice and dataset.labels is not None:
        names = [name for name, i in zip(dataset.labels, class_ids, strict=True) if i == twice[0]]
        meant = spec.labels[twice[0]]
        raise DataError(f"{dataset.path}: its labels {' and '.join(names)} all mean the model's {meant!r}")
