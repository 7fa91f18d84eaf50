"""PushSource: pictures that the program around the engine gives it, by `engine.push`."""

from __future__ import annotations

import threading
from collections import deque

import numpy as np

from edge_engine.clock import monotonic_ns, utc_ns
from edge_engine.errors import CorruptFrameError
from edge_engine.pixels import BgrPixels, Image, JpegPixels, Pixels
from edge_engine.sources.jpeg import jpeg_size
from edge_engine.sources.pool import BufferPool
from edge_engine.sources.source import Grab
from edge_engine.sources.uri import Size, SourceUri

_MOST_WAITING = 4


class PushSource:
    """Any thread pushes, the capture thread reads; the condition guards all that they share.

    Its program is its clock: nothing is a stall, and the stream ends when `end` says so. `missed` counts what
    was pushed faster than it was taken.
    """

    is_live = False

    def __init__(self, uri: SourceUri, *, pace: bool, loop: bool) -> None:
        uri.expect_options()
        self.description = "pictures that are pushed"
        self.missed = 0
        self._changed = threading.Condition()
        self._waiting: deque[Grab | CorruptFrameError] = deque()
        self._pool: BufferPool | None = None
        self._has_ended = False

    def expected_size(self) -> Size | None:
        """None: each picture may have another."""
        return None

    def open(self) -> None:
        """Nothing to open: pictures may have been pushed already."""

    def push(self, picture: Image | bytes, captured_ns: int | None, *, waits: bool) -> None:
        """A picture, uint8 [height, width, 3] in BGR, which is copied, or a JPEG's bytes.

        `captured_ns` of CLOCK_MONOTONIC; now, if None. `waits` until there is room for it; else the oldest
        that nobody has taken gives way. Raises ValueError for another shape or type.
        """
        now_ns, now_utc_ns = monotonic_ns(), utc_ns()
        stamp_ns = now_ns if captured_ns is None else min(captured_ns, now_ns)
        with self._changed:
            if waits:
                self._changed.wait_for(lambda: len(self._waiting) < _MOST_WAITING or self._has_ended)
            if self._has_ended:
                return
            news = self._news(picture, stamp_ns, now_utc_ns - (now_ns - stamp_ns))
            if len(self._waiting) >= _MOST_WAITING:
                self._waiting.popleft()
                self.missed += 1
            self._waiting.append(news)
            self._changed.notify_all()

    def _news(
        self, picture: Image | bytes, captured_ns: int, captured_utc_ns: int
    ) -> Grab | CorruptFrameError:
        try:
            return Grab(self._pixels(picture), captured_ns, captured_utc_ns)
        except CorruptFrameError as error:
            return error

    def _pixels(self, picture: Image | bytes) -> Pixels:
        if isinstance(picture, bytes):
            return JpegPixels(picture, jpeg_size(picture))
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8 or 0 in picture.shape:
            raise ValueError(
                f"expected a uint8 picture [height, width, 3] in BGR, or a JPEG's bytes, got {picture.dtype} "
                f"{list(picture.shape)}"
            )
        size = picture.shape[1], picture.shape[0]
        if self._pool is None or self._pool.size != size:
            self._pool = BufferPool(size)
        kept = self._pool.take()
        np.copyto(kept, picture)
        return BgrPixels(kept)

    def end(self) -> None:
        """No more will be pushed; what waits is still recognised."""
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()

    def read(self) -> Grab | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._has_ended)
            if not self._waiting:
                return None
            news = self._waiting.popleft()
            self._changed.notify_all()
        if isinstance(news, CorruptFrameError):
            raise news
        return news

    def close(self) -> None:
        self.interrupt()

    def interrupt(self) -> None:
        with self._changed:
            self._has_ended = True
            self._waiting.clear()
            self._changed.notify_all()
