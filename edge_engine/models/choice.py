"""choice: a spec with what a person asks for in place of what it says: labels, classes, thresholds.

What is said nearer wins: for a stream over what is said for the engine, and that over the model's own. A
`score_threshold` sets aside the `label_thresholds` that are said further away; the others add up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace

from edge_engine.errors import ConfigError, ModelError
from edge_engine.models.names import class_id_of, unknown
from edge_engine.models.spec import ModelSpec


def with_labels(path: Path, spec: ModelSpec, labels: tuple[str, ...]) -> ModelSpec:
    """The same with other labels, which take over the old ones' thresholds; with none given, the same."""
    if not labels or labels == spec.labels:
        return spec
    if len(labels) != len(spec.labels):
        raise ModelError(f"{path}: {len(labels)} labels were given; it has {len(spec.labels)} classes")

    def renamed(name: str) -> str:
        class_id = class_id_of(spec.labels, name)
        return name if class_id is None else _name(labels, class_id)

    return replace(
        spec,
        labels=labels,
        classes=tuple(renamed(name) for name in spec.classes),
        label_thresholds={renamed(name): limit for name, limit in spec.label_thresholds.items()},
    )


def chosen(
    spec: ModelSpec,
    classes: Sequence[str | int] | None = None,
    score_threshold: float | None = None,
    label_thresholds: Mapping[str | int, float] | None = None,
    where: str = "",
) -> ModelSpec:
    """None leaves it to the spec. ConfigError, which begins with `where`, for a name that isn't a label's."""

    def named(key: str, name: str | int) -> str:
        class_id = class_id_of(spec.labels, str(name))
        if class_id is None:
            raise ConfigError(f"{where}model {spec.name}: {key}: {unknown(spec.labels, str(name))}")
        return _name(spec.labels, class_id)

    limits: dict[str | int, float] = {}
    if score_threshold is None:
        limits.update(spec.label_thresholds)
    limits.update(label_thresholds or {})
    return replace(
        spec,
        classes=spec.classes if classes is None else tuple(named("classes", name) for name in classes),
        score_threshold=spec.score_threshold if score_threshold is None else score_threshold,
        label_thresholds={named("label_thresholds", name): limit for name, limit in limits.items()},
    )


def _name(labels: tuple[str, ...], class_id: int) -> str:
    """A class's label; its number, where another class is called the same."""
    return labels[class_id] if labels.count(labels[class_id]) == 1 else str(class_id)
