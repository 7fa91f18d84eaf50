"""Recordings of the demo's clip, made by a real engine."""

from __future__ import annotations

from pathlib import Path

from edge_engine.config import Config, McapConfig, OutputsConfig, StreamConfig, TrackingConfig
from edge_engine.engine import Engine
from tests import clip


def record_street(path: Path, *names: str, frames: int = 40, kept: str = "all", tracked: bool = True) -> Path:
    """The clip's first frames, once for each of the streams' names."""
    config = Config(
        streams={name: StreamConfig(source=clip.URI, pace=False) for name in names or ("street",)},
        policy="lossless",
        frames=frames,
        tracking=TrackingConfig() if tracked else None,
        outputs=OutputsConfig(mcap=McapConfig(path=str(path), frames=kept)),
    )
    with Engine(config, collect=False) as engine:
        engine.wait()
    return path
