"""--labels, --classes and --threshold: what a command asks for by name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NamedTuple, TypeAlias

import typer
from msgspec.structs import replace

from edge_engine.cli.configuration import changed
from edge_engine.config import Config, StreamConfig
from edge_engine.errors import UsageError
from edge_engine.models.choice import chosen
from edge_engine.models.sidecar import read_labels
from edge_engine.models.spec import ModelSpec

LabelsOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--labels", metavar="FILE|A,B", help="What the model's classes are called, in their order."),
]
ClassesOption: TypeAlias = Annotated[
    str | None, typer.Option("--classes", metavar="A,B", help="Only these classes, by name or number.")
]
ThresholdOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--threshold", metavar="0.4|A=0.5,B=0.3", help="Scores that all or single classes need."),
]


class Naming(NamedTuple):
    """The three options, read. None, or nothing, leaves it to the configuration or the model."""

    labels: tuple[str, ...]
    classes: tuple[str, ...] | None
    score_threshold: float | None
    label_thresholds: dict[str | int, float]

    def applied_to(self, spec: ModelSpec) -> ModelSpec:
        """ConfigError for a name that the model doesn't have."""
        return chosen(spec, self.classes, self.score_threshold, self.label_thresholds)

    def applied_in(self, config: Config) -> Config:
        """For the engine and all of its streams, whatever they say themselves."""
        if self.labels:
            config = changed(replace(config, labels_file=None), labels=self.labels)
        if self.classes is not None:
            streams = {name: replace(each, classes=None) for name, each in config.streams.items()}
            config = changed(replace(config, streams=streams), classes=self.classes)
        if self.score_threshold is not None:
            streams = {
                name: replace(each, score_threshold=None, label_thresholds={})
                for name, each in config.streams.items()
            }
            config = replace(config, streams=streams, label_thresholds={})
            config = changed(config, score_threshold=self.score_threshold)
        if self.label_thresholds:
            streams = {name: self._over(each) for name, each in config.streams.items()}
            limits = {**config.label_thresholds, **self.label_thresholds}
            config = changed(replace(config, streams=streams), label_thresholds=limits)
        return config

    def _over(self, stream: StreamConfig) -> StreamConfig:
        """With the thresholds of single classes above what the stream says itself, if it says anything."""
        if stream.score_threshold is None and not stream.label_thresholds:
            return stream
        return replace(stream, label_thresholds={**stream.label_thresholds, **self.label_thresholds})


def naming(labels: str | None, classes: str | None, threshold: str | None) -> Naming:
    """UsageError or ModelError, in one line, for what can't be read."""
    score_threshold, label_thresholds = (None, {}) if threshold is None else _thresholds(threshold)
    return Naming(
        labels=() if labels is None else _labels(labels),
        classes=None if classes is None else _listed("--classes", classes),
        score_threshold=score_threshold,
        label_thresholds=label_thresholds,
    )


def _labels(text: str) -> tuple[str, ...]:
    """Of a file with one a line, or of the text itself."""
    if Path(text).is_file() or ("," not in text and Path(text).suffix):
        return read_labels("--labels", Path(text))
    return _listed("--labels", text)


def _listed(option: str, text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    if not all(names):
        raise UsageError(f"{option} {text!r}: expected names with commas between, such as person,car")
    return names


def _thresholds(text: str) -> tuple[float | None, dict[str | int, float]]:
    """Of all classes, where one is without a name, and of single ones."""
    score_threshold: float | None = None
    label_thresholds: dict[str | int, float] = {}
    for part in text.split(","):
        name, is_named, number = part.rpartition("=")
        if is_named:
            label_thresholds[name.strip()] = share("--threshold", text, number)
        else:
            score_threshold = share("--threshold", text, number)
    return score_threshold, label_thresholds


def share(option: str, text: str, number: str) -> float:
    """The number that ends an option's text, 0..1. Raises UsageError."""
    try:
        found = float(number)
    except ValueError:
        found = -1.0
    if not 0 <= found <= 1:
        raise UsageError(f"{option} {text!r}: expected numbers 0..1, such as 0.4 or person=0.5,car=0.3")
    return found
