"""TestPatternSource: a moving colour pattern that carries its frame number, for tests and first trials."""

from __future__ import annotations

import cv2
import numpy as np

from edge_engine.clock import NS_PER_S, monotonic_ns, utc_ns
from edge_engine.errors import ConfigError
from edge_engine.pixels import BgrPixels, Image
from edge_engine.sources.pacing import Pacer
from edge_engine.sources.pool import BufferPool
from edge_engine.sources.source import Grab
from edge_engine.sources.uri import SourceUri

DEFAULT_SIZE = (640, 480)
DEFAULT_FPS = 30.0
COUNTER_BITS = 32
COUNTER_BAND = 16
"""The counter's blocks fill the top 1/16 of the picture, left to right from the highest bit; white is 1."""

_SMALLEST = (2 * COUNTER_BITS, 2 * COUNTER_BAND)
_STEP = 4  # pixels that the pattern moves from frame to frame
_BARS = ((255, 255, 255), (0, 255, 255), (255, 255, 0), (0, 255, 0), (255, 0, 255), (0, 0, 255), (255, 0, 0))


class TestPatternSource:
    """Target WIDTHxHEIGHT@FPS; option `frames`: how many there are. Looped, they count from 0 again."""

    is_live = False
    missed = 0

    __test__ = False  # for pytest: not a test, despite its name

    def __init__(self, uri: SourceUri, *, pace: bool, loop: bool) -> None:
        uri.expect_options("frames")
        self.size, fps = uri.pattern(DEFAULT_SIZE, DEFAULT_FPS)
        if self.size[0] < _SMALLEST[0] or self.size[1] < _SMALLEST[1]:
            raise ConfigError(f"source {uri.text}: the pattern needs at least {_SMALLEST[0]}x{_SMALLEST[1]}")
        self._frames = uri.frames()
        self._period_ns = NS_PER_S / fps
        self._loop = loop
        self._pacer = Pacer(is_paced=pace)
        self._pool = BufferPool(self.size)
        self._bars = _draw_bars(self.size)
        self._number = 0

    @property
    def description(self) -> str:
        return f"test pattern of {self.size[0]}x{self.size[1]}"

    def expected_size(self) -> tuple[int, int]:
        return self.size

    def open(self) -> None:
        """Nothing to open: the pattern is always there."""

    def read(self) -> Grab | None:
        if not self._pacer.wait(round(self._number * self._period_ns)):
            return None
        counter = self._number
        if self._frames is not None and counter >= self._frames:
            if not self._loop or self._frames == 0:
                return None
            counter %= self._frames
        captured_ns, captured_utc_ns = monotonic_ns(), utc_ns()
        self._number += 1
        image = self._pool.take()
        self._draw(image, counter)
        return Grab(BgrPixels(image), captured_ns, captured_utc_ns)

    def _draw(self, image: Image, counter: int) -> None:
        width, height = self.size
        offset = counter * _STEP % width
        np.copyto(image, self._bars[:, offset : offset + width])
        _draw_counter(image, counter)
        scale = height / 160
        at = (width // 20, height * 3 // 5)
        cv2.putText(image, str(counter), at, cv2.FONT_HERSHEY_SIMPLEX, scale, (0, 0, 0), max(2, height // 60))

    def close(self) -> None:
        self._pool = BufferPool(self.size)

    def interrupt(self) -> None:
        self._pacer.interrupt()


def read_counter(image: Image) -> int:
    """The frame number in a picture of the pattern, at its own size or resized."""
    height, width = image.shape[:2]
    line = image[height // COUNTER_BAND // 2]
    number = 0
    for bit in range(COUNTER_BITS):
        centre = (2 * bit + 1) * width // (2 * COUNTER_BITS)
        number = number << 1 | int(line[centre].mean() > 127)
    return number


def _draw_counter(image: Image, counter: int) -> None:
    height, width = image.shape[:2]
    shifts = COUNTER_BITS - 1 - np.arange(width) * COUNTER_BITS // width
    line = np.where((counter >> shifts) & 1, 255, 0).astype(np.uint8)
    image[: height // COUNTER_BAND] = line[:, np.newaxis]


def _draw_bars(size: tuple[int, int]) -> Image:
    """The pattern twice side by side, so that every position is one slice: uint8 [height, 2·width, 3]."""
    width, height = size
    columns = np.array(_BARS, np.uint8)[np.arange(2 * width) % width * len(_BARS) // width]
    shade = np.linspace(1.0, 0.4, height)[:, np.newaxis, np.newaxis]
    return np.asarray(columns * shade, np.uint8)
