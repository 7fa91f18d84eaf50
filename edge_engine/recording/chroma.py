"""Chroma: where a decoded frame's halved chroma samples lie between its pixels.

swscale goes by it (AVFrame.chroma_location: H.264's lie on the left, MPEG-1's in the centre), so that a frame
that came back without it would be resized to slightly other pixels. PyAV neither tells nor sets it: it is
found by trying which one resizes as the frame itself does, and set by FFmpeg's decoder for raw video.
"""

from __future__ import annotations

from collections import Counter

import av
import numpy as np

from edge_engine.pixels import AvPixels, Image, is_bt601_yuv420p
from edge_engine.recording.planes import tight_planes

UNKNOWN = "unspecified"
_LOCATIONS = (UNKNOWN, "left", "center", "topleft")
"""FFmpeg's names, of its option chroma_sample_location."""

_SMALL = (128, 96)
_TRIES = 25  # with the first pictures, and then with one of so many


class ChromaLocations:
    """Of the streams' frames, each found out once. Used by one thread."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], str] = {}
        self._seen: Counter[tuple[str, str]] = Counter()

    def of(self, stream: str, frame: av.VideoFrame) -> str:
        """UNKNOWN for what swscale doesn't resize, and while pictures are too plain to tell, for which it
        makes no difference either."""
        if is_bt601_yuv420p(frame):
            return UNKNOWN
        key = stream, frame.format.name
        if key not in self._known:
            number, self._seen[key] = self._seen[key], self._seen[key] + 1
            is_tried = number < _TRIES or number % _TRIES == 0
            found = _location(frame) if is_tried else None
            if found is None:
                return UNKNOWN
            self._known[key] = found
        return self._known[key]


def _location(frame: av.VideoFrame) -> str | None:
    """None where all of them come out alike."""
    if all(part.width == frame.width for part in frame.format.components):
        return UNKNOWN
    tried = {each: _resized(located(frame, each)) for each in _LOCATIONS}
    if all(np.array_equal(tried[UNKNOWN], each) for each in tried.values()):
        return None
    own = _resized(frame)
    return next((name for name, each in tried.items() if np.array_equal(own, each)), UNKNOWN)


def _resized(frame: av.VideoFrame) -> Image:
    target = np.empty((_SMALL[1], _SMALL[0], 3), np.uint8)
    AvPixels(frame).resize_into(target, "RGB")
    return target


def located(frame: av.VideoFrame, location: str) -> av.VideoFrame:
    """A copy with its chroma there."""
    decoder = av.CodecContext.create("rawvideo", "r")
    decoder.width, decoder.height, decoder.pix_fmt = frame.width, frame.height, frame.format.name
    decoder.options = {"chroma_sample_location": location}
    copy = decoder.decode(av.Packet(b"".join(plane.tobytes() for plane in tight_planes(frame))))[0]
    copy.colorspace, copy.color_range = frame.colorspace, frame.color_range
    copy.color_primaries, copy.color_trc = frame.color_primaries, frame.color_trc
    return copy
