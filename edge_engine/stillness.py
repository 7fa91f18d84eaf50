"""Stillness: whether a camera's pictures still show the world, or only look as if they did.

A sensor's noise makes every picture of a real camera a little different, in the dark too. Pictures that are
equal to the last byte come from a camera, an encoder or a cable that has frozen; black ones from a covered
lens or one without light. Neither is an error to anybody on the way, so it is looked for in what the model
gets to see.
"""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

from edge_engine.clock import NS_PER_MS

_EVERY = 8
"""Of rows and columns, for the first look: some 20 µs for a picture of 416 x 256."""

_BLACK = 24
"""Levels of 0 to 255 that are no light: a limited-range black is 16, and noise lies on top."""

_BRIGHT_SHARE = 0.01


class Stillness:
    """Looks at one stream's pictures in their order, by one thread. `after_ms` None lets every picture
    pass.
    """

    def __init__(self, after_ms: int | None) -> None:
        self._after_ns = None if after_ms is None else after_ms * NS_PER_MS
        self._sample = b""
        self._checksum: int | None = None
        self._same_since_ns = 0
        self._black_since_ns: int | None = None

    def judge(self, picture: NDArray[np.uint8], captured_ns: int) -> str:
        """Why the stream is not to be trusted; empty while it is. `picture`: uint8 [height, width, 3]."""
        if self._after_ns is None:
            return ""
        sample = picture[::_EVERY, ::_EVERY]
        if not self._is_same(picture, sample.tobytes()):
            self._same_since_ns = captured_ns
        is_black = np.count_nonzero(sample > _BLACK) <= _BRIGHT_SHARE * sample.size
        if not is_black:
            self._black_since_ns = None
        elif self._black_since_ns is None:
            self._black_since_ns = captured_ns
        return self._reason(captured_ns, self._after_ns)

    def _is_same(self, picture: NDArray[np.uint8], sample: bytes) -> bool:
        """As the picture before it. Only those whose samples are equal are looked at as a whole."""
        if sample != self._sample:
            self._sample, self._checksum = sample, None
            return False
        before, self._checksum = self._checksum, zlib.crc32(np.ascontiguousarray(picture).data)
        return before is None or before == self._checksum

    def _reason(self, captured_ns: int, after_ns: int) -> str:
        if self._black_since_ns is not None and captured_ns - self._black_since_ns >= after_ns:
            return f"black for {(captured_ns - self._black_since_ns) // NS_PER_MS} ms"
        if captured_ns - self._same_since_ns >= after_ns:
            return f"the same picture for {(captured_ns - self._same_since_ns) // NS_PER_MS} ms"
        return ""
