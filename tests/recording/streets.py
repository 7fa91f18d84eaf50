"""Recordings of the demo's clip, made by a real engine."""

from __future__ import annotations

from pathlib import Path

from edge_engine.config import Config, McapConfig, OutputsConfig, StreamConfig, TrackingConfig
from edge_engine.engine import Engine
from tests import clip


def record_street(path: Path, *names: str, frames: int = 40, kept: str = "all", model: str = "") -> Path:
    """The clip's first frames for each of the names; tracked, unless a model is named."""
    config = Config(
        streams={name: StreamConfig(source=clip.URI, pace=False) for name in names or ("street",)},
        model=model or "nanodet-g",
        policy="lossless",
        frames=frames,
        tracking=None if model else TrackingConfig(),
        outputs=OutputsConfig(mcap=McapConfig(path=str(path), frames=kept)),
    )
    with Engine(config, collect=False) as engine:
        engine.wait()
    return path
