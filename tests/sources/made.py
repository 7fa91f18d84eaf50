"""Small video files made on the spot: each picture is a flat colour that says which one it is."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from edge_engine.pixels import Image
from edge_engine.sources import make_source
from edge_engine.sources.source import Grab, Source

TICK = Fraction(1, 1000)


def shade(number: int) -> int:
    return 20 + number * 9 % 200


def make_video(
    path: Path,
    codec: str = "libx264",
    size: tuple[int, int] = (64, 48),
    times_ms: list[int] | None = None,
    pix_fmt: str = "yuv420p",
    container: str | None = None,
) -> Path:
    """Pictures at `times_ms`, 20 of them at 25 fps unless said otherwise."""
    with av.open(str(path), "w", format=container) as output:
        stream = output.add_stream(codec, rate=25)
        stream.width, stream.height = size
        stream.pix_fmt = pix_fmt
        stream.codec_context.time_base = TICK if times_ms else Fraction(1, 25)
        for number, time in enumerate(times_ms or range(20)):
            image = np.full((size[1], size[0], 3), shade(number), np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = time, stream.codec_context.time_base
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return path


def opened(uri: str | Path, *, pace: bool = False, loop: bool = False) -> Source:
    source = make_source(str(uri), pace=pace, loop=loop)
    source.open()
    return source


def read_all(source: Source, at_most: int = 10_000) -> list[Grab]:
    grabs = []
    while len(grabs) < at_most and (grab := source.read()) is not None:
        grabs.append(grab)
    return grabs


def shades(grabs: list[Grab]) -> list[float]:
    return [float(grab.pixels.bgr().mean()) for grab in grabs]


def difference(one: Image, other: Image) -> float:
    """Mean absolute difference, in levels of 0..255."""
    return float(np.abs(one.astype(int) - other.astype(int)).mean())
