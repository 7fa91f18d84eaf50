"""What recording costs: processor time per frame, and bytes, by kind of picture and compression.

    python -m tools.recording [--frames 100]

The demo's clip, made 640x480 and 1280x720 with a sensor's noise (sigma 3), as yuv420p and as JPEGs of
quality 90, through the recorder's own writer to a file. Time is the process's CPU time, which the load of the
machine changes least; `MB/s` is what 25 frames a second make.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import av
import cv2
import numpy as np

from edge_engine.frame import Frame
from edge_engine.pixels import AvPixels, JpegPixels, Pixels
from edge_engine.recording.header import Header
from edge_engine.recording.writing import Compression, RecordingWriter
from tests import clip

_SIZES = ((640, 480), (1280, 720))
_NOISE = 3.0
_FPS = 25


def noisy_frames(size: tuple[int, int], count: int) -> Iterator[av.VideoFrame]:
    """yuv420p, as a decoder gives them."""
    generator = np.random.default_rng(0)
    with av.open(str(clip.clip_path())) as container:
        for _, frame in zip(range(count), container.decode(video=0), strict=False):
            image = cv2.resize(frame.to_ndarray(format="bgr24"), size).astype(np.float32)
            image += generator.normal(0, _NOISE, (size[1], size[0], 1))
            noisy = av.VideoFrame.from_ndarray(np.clip(image, 0, 255).astype(np.uint8), format="bgr24")
            yield noisy.reformat(format="yuv420p")


def jpeg_of(frame: av.VideoFrame) -> JpegPixels:
    packed = cv2.imencode(".jpg", frame.to_ndarray(format="bgr24"), [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
    return JpegPixels(packed.tobytes(), (frame.width, frame.height))


def cost(pictures: list[Pixels], compression: Compression, folder: Path) -> tuple[float, float]:
    """CPU milliseconds and bytes per frame."""
    path = folder / "cost.mcap"
    writer = RecordingWriter(path, Header(session="s", streams=("a",), config=""), [], compression)
    started_s = time.process_time()
    for seq, pixels in enumerate(pictures):
        writer.add_frame(Frame("a", seq, seq, seq, pixels.size, pixels))
        writer.drain()
    writer.finish()
    writer.drain()
    spent_s = time.process_time() - started_s
    writer.close()
    return 1000 * spent_s / len(pictures), path.stat().st_size / len(pictures)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--frames", type=int, default=100)
    count = parser.parse_args().frames
    print("pictures            compression  CPU ms/frame  kB/frame  MB/s at 25/s")
    with tempfile.TemporaryDirectory() as folder:
        for size in _SIZES:
            frames = list(noisy_frames(size, count))
            kinds = {"yuv420p": [AvPixels(frame) for frame in frames], "jpeg": [jpeg_of(f) for f in frames]}
            for kind, pictures in kinds.items():
                for compression in get_args(Compression):
                    ms, size_bytes = cost(list(pictures), compression, Path(folder))
                    name = f"{size[0]}x{size[1]} {kind}"
                    rate = _FPS * size_bytes / 1e6
                    print(f"{name:<20}{compression:<13}{ms:12.2f}{size_bytes / 1000:10.0f}{rate:14.1f}")


if __name__ == "__main__":
    main()
