"""Damaged recordings: read up to the damage, or one line; never another exception, never for long."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_engine.config import Config, McapConfig, OutputsConfig, StreamConfig
from edge_engine.engine import Engine
from edge_engine.errors import CorruptFrameError, SourceError
from edge_engine.recording.reading import RecordedFrame, RecordingReader

TRIES = 150


@pytest.mark.parametrize("compression", ["none", "lz4", "zstd"])
def test_flipped_bytes(tmp_path: Path, compression: str) -> None:
    path = tmp_path / "a.mcap"
    mcap = McapConfig(path=str(path), compression=compression)  # type: ignore[arg-type]
    stream = StreamConfig(source="test:64x64@30?frames=10", pace=False)
    config = Config(streams={"a": stream}, policy="lossless", outputs=OutputsConfig(mcap=mcap))
    with Engine(config, collect=False) as engine:
        engine.wait()
    whole, generator = np.frombuffer(path.read_bytes(), np.uint8), np.random.default_rng(0)
    outcomes = set()
    for _ in range(TRIES):
        damaged = whole.copy()
        places = generator.integers(0, generator.choice([2000, len(whole)]), generator.integers(1, 20))
        damaged[places] = generator.integers(0, 256, len(places))
        path.write_bytes(damaged.tobytes())
        outcomes.add(outcome(path))
    assert outcomes >= {"refused", "broken"}


def outcome(path: Path) -> str:
    try:
        reader = RecordingReader(path)
    except SourceError:
        return "refused"
    try:
        for item in reader.items():
            if isinstance(item, RecordedFrame):
                item.pixels()
    except (SourceError, CorruptFrameError):
        return "refused"
    finally:
        reader.close()
    return "whole" if reader.broken_at is None else "broken"
