"""Choosing: which of a model's labels each stream publishes, and from which score on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from edge_engine.config import Config, StreamConfig, TrackingConfig, tracking_of
from edge_engine.errors import ConfigError
from edge_engine.models.choice import chosen
from edge_engine.models.families.family import Decoder
from edge_engine.models.families.limits import Limits
from edge_engine.models.model import Model
from edge_engine.models.sidecar import read_labels
from edge_engine.models.spec import ModelSpec
from edge_engine.zones.checking import check_places

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
    general = _asked(model, spec, tracking_of(config), "")
    asked = {
        name: _asked(
            model,
            _chosen(spec, stream, f"stream {name}, "),
            tracking_of(config, stream),
            f"stream {name}, ",
        )
        if _has_own(stream)
        else general
        for name, stream in config.streams.items()
    }
    for name, stream in config.streams.items():
        of_stream = replace(spec, classes=asked[name].classes)
        check_places(
            name,
            stream,
            of_stream,
            finds=spec.task in _TRACKED_TASKS,
            is_tracked=asked[name].tracking is not None,
        )
    return asked


class _Terms(NamedTuple):
    """What holds at one moment: `configs` by the models' files, `asked` by their forms and the streams'
    names. A config is only in here once all that it asks has been found in its model."""

    configs: Mapping[Path, Config]
    asked: dict[Model, dict[str, Asked]]


class Choices:
    """What is asked of each stream and each form of the models.

    The postprocess thread alone asks, once for each frame. One other thread at a time changes what holds: it
    makes all that is needed, decoders with their scratch as well, and replaces `_now` as a whole, so that a
    frame meets the terms from before or those from then on. Forms of a model that is not in use keep theirs.
    """

    def __init__(self, config: Config, models: Sequence[Model]) -> None:
        """One form of each model that is loaded. ConfigError as above."""
        configs = {model.path: config for model in models}
        self._now = _Terms(configs, {model: asked_of_streams(config, model) for model in models})

    def of(self, stream: str, model: Model) -> Asked:
        return self.all_of(model)[stream]

    def all_of(self, model: Model) -> dict[str, Asked]:
        """By the streams' names."""
        now = self._now
        if model not in now.asked:
            now.asked[model] = asked_of_streams(now.configs[model.path], model)
        return now.asked[model]

    def stream(self, name: str, model: Model) -> StreamConfig:
        """What is asked of it with that model, as its configuration would say it."""
        return self._now.configs[model.path].streams[name]

    def change(self, stream: str, to: StreamConfig, model: Model) -> None:
        """From the next frame on, for the model in use. ConfigError, with nothing changed, as above."""
        now = self._now
        config = now.configs[model.path]
        config = replace(config, streams={**config.streams, stream: to})
        alone = replace(config, streams={stream: to})
        asked = {
            form: {**of_streams, **asked_of_streams(alone, form)} if form.path == model.path else of_streams
            for form, of_streams in list(now.asked.items())
        }
        self._now = _Terms({**now.configs, model.path: config}, asked)

    def carry_over(self, before: Model, after: Model) -> None:
        """What is asked with the one model is asked with the other as well. ConfigError as above."""
        now = self._now
        config = now.configs[before.path]
        forms = [form for form in list(now.asked) if form.path == after.path]
        asked = {form: asked_of_streams(config, form) for form in forms}
        self._now = _Terms({**now.configs, after.path: config}, {**now.asked, **asked})


def _chosen(spec: ModelSpec, said: Config | StreamConfig, where: str) -> ModelSpec:
    return chosen(spec, said.classes, said.score_threshold, said.label_thresholds, where)


def _has_own(stream: StreamConfig) -> bool:
    asked = stream.classes, stream.score_threshold, stream.tracking
    return any(what is not None for what in asked) or bool(stream.label_thresholds)


def _asked(model: Model, spec: ModelSpec, tracking: TrackingConfig | None, where: str) -> Asked:
    high, decoded = Limits(spec).of(spec.score_threshold), spec
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
