"""Choosing: which of a model's labels each stream publishes, and from which score on."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from edge_engine.config import Config, StreamConfig, TrackingConfig
from edge_engine.errors import ConfigError
from edge_engine.models.choice import chosen
from edge_engine.models.families.family import Decoder
from edge_engine.models.families.limits import Limits
from edge_engine.models.model import Model
from edge_engine.models.sidecar import read_labels
from edge_engine.models.spec import ModelSpec

_TRACKED_TASKS = ("detection", "instance-segmentation", "pose")


class Asked(NamedTuple):
    """How a stream's outputs are decoded. `classes`: the labels that are published, none for all of them,
    from `score_threshold` on or their own of `label_thresholds`. `decoded_from`: the score from which on they
    are decoded; lower, for a tracked stream, whose tracks `high` tells which scores are enough by themselves:
    float32 [labels]."""

    decoder: Decoder
    score_threshold: float
    iou_threshold: float
    classes: tuple[str, ...]
    label_thresholds: dict[str, float]
    decoded_from: float
    tracking: TrackingConfig | None
    high: NDArray[np.float32]


def labels_of(config: Config) -> tuple[str, ...]:
    """Those that the configuration gives the model; none where they are the model's own."""
    if config.labels is not None and config.labels_file is not None:
        raise ConfigError("labels and labels_file are given; expected one of them")
    if config.labels_file is not None:
        return read_labels("labels_file", Path(config.labels_file))
    return config.labels or ()


def asked_of_streams(config: Config, model: Model) -> dict[str, Asked]:
    """By the streams' names. ConfigError, in one line, for a class that the model doesn't have, and for
    tracking what it can't find."""
    spec = _chosen(model.spec, config, "")
    if config.iou_threshold is not None:
        spec = replace(spec, iou_threshold=config.iou_threshold)
    general = _asked(model, spec, config.tracking, "")
    return {
        name: _asked(
            model,
            _chosen(spec, stream, f"stream {name}, "),
            stream.tracking or config.tracking,
            f"stream {name}, ",
        )
        if _has_own(stream)
        else general
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
    asked = stream.classes, stream.score_threshold, stream.tracking
    return any(what is not None for what in asked) or bool(stream.label_thresholds)


def _asked(model: Model, spec: ModelSpec, tracking: TrackingConfig | None, where: str) -> Asked:
    high, decoded = Limits(spec).of(spec.score_threshold), spec
    if tracking is not None and not tracking.enabled:
        tracking = None
    if tracking is not None:
        if spec.task not in _TRACKED_TASKS:
            expected = "expected a model that finds objects, for tracking"
            raise ConfigError(f"{where}model {spec.name}: its task is {spec.task}; {expected}")
        decoded = _from(spec, tracking.track_low_thresh)
    return Asked(
        model.new_decoder(decoded),
        spec.score_threshold,
        spec.iou_threshold,
        tuple(spec.classes),
        dict(spec.label_thresholds),
        decoded.score_threshold,
        tracking,
        high,
    )


def _from(spec: ModelSpec, score: float) -> ModelSpec:
    """With no limit above this score."""
    limits = {name: min(limit, score) for name, limit in spec.label_thresholds.items()}
    return replace(spec, score_threshold=min(spec.score_threshold, score), label_thresholds=limits)
