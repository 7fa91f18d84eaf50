"""Labels: which of a model's labels is meant by each of a dataset's, by their names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from edge_engine.errors import DataError
from edge_engine.evaluation.datasets import Dataset
from edge_engine.models.names import class_id_of, meanings, plain, some
from edge_engine.models.spec import ModelSpec


@dataclass(frozen=True)
class Matching:
    """`class_ids`: the model's class id of each of the dataset's labels, -1 where it has none,

    or none that is asked for. `left_out`: those of the dataset that the model can't say, `unlabelled`: those
    of the model that the dataset doesn't label; neither counts.
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
        every = tuple(range(len(spec.labels)))
        return Matching(_asked(dataset, spec, every), spec.labels, (), (), is_by_name=False)
    known = meanings(spec.labels)
    class_ids = tuple(known.get(plain(label), -1) for label in dataset.labels)
    _expect_one_each(dataset, class_ids, spec)
    if max(class_ids, default=-1) < 0:
        raise DataError(
            f"{dataset.path}: model {spec.name} has none of its labels; it has {some(spec.labels)}, the data "
            f"has {some(dataset.labels)}; a YAML file beside the model can name what its labels are"
        )
    left_out = tuple(label for label, i in zip(dataset.labels, class_ids, strict=True) if i < 0)
    unlabelled = tuple(label for i, label in enumerate(spec.labels) if i not in class_ids)
    return Matching(_asked(dataset, spec, class_ids), spec.labels, left_out, unlabelled, is_by_name=True)


def _asked(dataset: Dataset, spec: ModelSpec, class_ids: tuple[int, ...]) -> tuple[int, ...]:
    """Those that the spec asks for, -1 in place of the others."""
    if not spec.classes:
        return class_ids
    asked = {class_id_of(spec.labels, name) for name in spec.classes}
    kept = tuple(class_id if class_id in asked else -1 for class_id in class_ids)
    if max(kept, default=-1) < 0:
        raise DataError(f"{dataset.path}: labels none of those asked for, {some(spec.classes)}")
    return kept


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
