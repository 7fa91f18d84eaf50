"""Pools of picture buffers of one size, used again once nobody refers to them.

A picture travels from the capture thread to whoever looks at it last, and nobody says when that was.
The interpreter knows: a buffer that only the pool refers to is free. An array made from a buffer (a
slice, a reshape) counts as a reference to it, since numpy keeps the buffer as its base; so does a view on a
plane of FFmpeg's frame.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import av
import numpy as np

from edge_engine.pixels import Image

Buffer = TypeVar("Buffer")

KEPT_AT_MOST = 32
"""Buffers the pool remembers; beyond, somebody keeps pictures for good, and new ones are theirs alone."""


class Pool(Generic[Buffer]):
    """The thread that fills the buffers calls `take`; others only ever drop references, and any may.

    Relies on CPython's reference counts, so on an interpreter without a global lock a buffer must be
    dropped by the thread that took it.
    """

    def __init__(self, make: Callable[[], Buffer]) -> None:
        self._make = make
        self._buffers: list[Buffer] = []
        self._next = 0

    def take(self) -> Buffer:
        """A free buffer, with old or no contents."""
        count = len(self._buffers)
        for step in range(count):
            index = (self._next + step) % count
            if _references(self._buffers, index) == _REFERENCES_WHEN_FREE:
                self._next = index + 1
                return self._buffers[index]
        return self._grow()

    def _grow(self) -> Buffer:
        buffer = self._make()
        if len(self._buffers) < KEPT_AT_MOST:
            self._buffers.append(buffer)
        return buffer


class BufferPool(Pool[Image]):
    """Packed BGR pictures: uint8 [height, width, 3]."""

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__(lambda: np.empty((size[1], size[0], 3), np.uint8))
        self.size = size


class FramePool(Pool[av.VideoFrame]):
    """FFmpeg's frames of the pixel format with that name of FFmpeg's."""

    def __init__(self, size: tuple[int, int], pixel_format: str) -> None:
        super().__init__(lambda: av.VideoFrame(*size, pixel_format))
        self.size = size


def _references(items: list[Any], index: int) -> int:
    return sys.getrefcount(items[index])


# What the list and the call above account for; interpreters differ, so it is counted and not assumed.
_REFERENCES_WHEN_FREE = _references([np.empty(0, np.uint8)], 0)
