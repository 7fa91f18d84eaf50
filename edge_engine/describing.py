"""Describing: what subscribers are told of each stream's results."""

from __future__ import annotations

from edge_engine.choosing import Choices
from edge_engine.clock import clock_id
from edge_engine.config import Config
from edge_engine.models.model import Model
from edge_engine.wire import DescribeMessage


def describe(config: Config, session: str, choices: Choices, model: Model) -> dict[str, DescribeMessage]:
    """By the streams' names, as of now."""
    spec, asked = model.spec, choices.all_of(model)
    return {
        name: DescribeMessage(
            stream=name,
            session=session,
            model=spec.name,
            task=spec.task,
            labels=spec.labels,
            max_age_ms=stream.max_age_ms,
            keypoint_names=spec.keypoint_names,
            classes=asked[name].classes,
            score_threshold=asked[name].score_threshold,
            label_thresholds=asked[name].label_thresholds,
            min_fps=stream.min_fps,
            clock=clock_id(),
        )
        for name, stream in config.streams.items()
    }
