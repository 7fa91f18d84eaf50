"""What a JPEG's header says, read from its markers without decoding anything (ITU-T T.81, annex B)."""

from __future__ import annotations

from edge_engine.errors import CorruptFrameError

START_OF_IMAGE = b"\xff\xd8"
_END_OF_IMAGE = b"\xff\xd9"
_START_OF_SCAN = 0xDA
_START_OF_FRAME = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD8)}


def is_jpeg(data: bytes) -> bool:
    return data.startswith(START_OF_IMAGE)


def jpeg_size(data: bytes) -> tuple[int, int]:
    """(width, height) in pixels as stored, before any EXIF orientation.

    Raises CorruptFrameError where there is no such header, and when the end of the picture is missing.
    """
    size: tuple[int, int] | None = None
    at = len(START_OF_IMAGE)
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF or marker in _WITHOUT_LENGTH:  # fill byte, or a marker that stands alone
            at += 1 if marker == 0xFF else 2
            continue
        if marker in _START_OF_FRAME and at + 9 <= len(data):
            size = _number(data, at + 7), _number(data, at + 5)
        at += 2 + _number(data, at + 2)
        if marker == _START_OF_SCAN:
            break
    if size is None or 0 in size:
        raise CorruptFrameError("a JPEG without a readable header")
    if data.rfind(_END_OF_IMAGE, at) < 0:
        raise CorruptFrameError("a JPEG cut short")
    return size


def _number(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "big")
