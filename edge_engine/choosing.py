"""Choosing: which of a model's labels each stream publishes, and from which score on."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from edge_engine.config import Config, StreamConfig
from edge_engine.errors import ConfigError
from edge_engine.models.choice import chosen
from edge_engine.models.families.family import Decoder
from edge_engine.models.model import Model
from edge_engine.models.sidecar import read_labels
from edge_engine.models.spec import ModelSpec


class Asked(NamedTuple):
    """How a stream's outputs are decoded. `classes`: the labels that are published, none for all of them,
    from `score_threshold` on or their own of `label_thresholds`."""

    decoder: Decoder
    score_threshold: float
    iou_threshold: float
    classes: tuple[str, ...]
    label_thresholds: dict[str, float]


def labels_of(config: Config) -> tuple[str, ...]:
    """Those that the configuration gives the model; none where they are the model's own."""
    if config.labels is not None and config.labels_file is not None:
        raise ConfigError("labels and labels_file are given; expected one of them")
    if config.labels_file is not None:
        return read_labels("labels_file", Path(config.labels_file))
    return config.labels or ()


def asked_of_streams(config: Config, model: Model) -> dict[str, Asked]:
    """By the streams' names. ConfigError, in one line, for a class that the model doesn't have."""
    spec = _chosen(model.spec, config, "")
    if config.iou_threshold is not None:
        spec = replace(spec, iou_threshold=config.iou_threshold)
    general = _asked(model, spec)
    return {
        name: _asked(model, _chosen(spec, stream, f"stream {name}, ")) if _has_own(stream) else general
        for name, stream in config.streams.items()
    }


class Choices:
    """What is asked of each stream and each form of the model; one thread, that of postprocessing, asks."""

    def __init__(self, config: Config, model: Model) -> None:
        """ConfigError as above."""
        self._config = config
        self._asked = {model: asked_of_streams(config, model)}

    def of(self, stream: str, model: Model) -> Asked:
        return self.all_of(model)[stream]

    def all_of(self, model: Model) -> dict[str, Asked]:
        """By the streams' names."""
        if model not in self._asked:
            self._asked[model] = asked_of_streams(self._config, model)
        return self._asked[model]


def _chosen(spec: ModelSpec, said: Config | StreamConfig, where: str) -> ModelSpec:
    return chosen(spec, said.classes, said.score_threshold, said.label_thresholds, where)


def _has_own(stream: StreamConfig) -> bool:
    return stream.classes is not None or stream.score_threshold is not None or bool(stream.label_thresholds)


def _asked(model: Model, spec: ModelSpec) -> Asked:
    decoder = model.new_decoder(spec)
    return Asked(
        decoder, spec.score_threshold, spec.iou_threshold, tuple(spec.classes), dict(spec.label_thresholds)
    )
