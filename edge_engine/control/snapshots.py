"""Snapshots: a picture as a JPEG, with what was recognised in it."""

from __future__ import annotations

import cv2

from edge_engine.clock import clock_id
from edge_engine.errors import CorruptFrameError, RefusedError
from edge_engine.outputs.rows import message_of
from edge_engine.pixels import Image
from edge_engine.viewfinder import View
from edge_engine.wire import Snapshot

LONGEST_JPEG = 4 * 2**20
"""Bytes."""


def snapshot_of(view: View, longest_side: int | None, quality: int) -> Snapshot:
    """Raises RefusedError when it can't be decoded, or would be too long."""
    frame = view.frame
    try:
        jpeg = _encode(_scaled(frame.bgr(), longest_side), quality)
    except CorruptFrameError as error:
        raise RefusedError(f"stream {frame.stream}: its picture can't be read: {error}") from None
    if len(jpeg) > LONGEST_JPEG:
        raise RefusedError(
            f"the picture is a JPEG of {len(jpeg)} bytes, expected {LONGEST_JPEG} at most; ask for a "
            "smaller longest_side"
        )
    return Snapshot(
        stream=frame.stream,
        seq=frame.seq,
        captured_ns=frame.captured_ns,
        captured_utc_ns=frame.captured_utc_ns,
        size=frame.size,
        jpeg=jpeg,
        result=message_of(view.result, view.counts)
        if view.result is not None and view.counts is not None
        else None,
        clock=clock_id(),
    )


def _scaled(image: Image, longest_side: int | None) -> Image:
    """Made smaller, never larger."""
    height, width = image.shape[:2]
    scale = 1.0 if longest_side is None else longest_side / max(width, height)
    if scale >= 1:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]


def _encode(image: Image, quality: int) -> bytes:
    is_done, jpeg = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, quality))
    if not is_done:
        raise CorruptFrameError("no JPEG can be made of it")
    return jpeg.tobytes()
