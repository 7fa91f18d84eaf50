"""The pictures of the rig's USB camera, made once, and what can be wrong with them."""

from __future__ import annotations

import functools
import random

import cv2
import numpy as np

from edge_engine.pictures import FOLDER

COUNT = 2

_START_OF_SCAN, _HUFFMAN_TABLES = 0xDA, 0xC4


@functools.cache
def pictures(code: str, size: tuple[int, int]) -> list[bytes]:
    """COUNT of them, as MJPG or YUYV. Made for each shot anew, they would keep an emulated processor busy."""
    images = [_picture(size, number) for number in range(COUNT)]
    if code == "MJPG":
        return [without_tables(cv2.imencode(".jpg", image)[1].tobytes()) for image in images]
    return [cv2.cvtColor(image, cv2.COLOR_BGR2YUV_YUY2).tobytes() for image in images]


def _picture(size: tuple[int, int], number: int) -> np.ndarray:
    """A scene, a step further on with each number."""
    image = cv2.resize(cv2.imread(str(FOLDER / "coffee.jpg")), size)
    return np.roll(image, 16 * number, axis=1)


def segments(jpeg: bytes) -> list[bytes]:
    """Each up to the header of the first scan; the last is all the rest."""
    parts, at = [jpeg[:2]], 2
    while jpeg[at + 1] != _START_OF_SCAN:
        end = at + 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
        parts.append(jpeg[at:end])
        at = end
    return [*parts, jpeg[at:]]


def without_tables(jpeg: bytes) -> bytes:
    """As most webcams send them: whoever decodes them knows the Huffman tables, those of ITU-T T.81, annex K,
    with which OpenCV encodes too.
    """
    return b"".join(part for part in segments(jpeg) if part[1] != _HUFFMAN_TABLES)


def harmed(data: bytes, fault: str) -> bytes:
    """`trunc`, `hole` or `garbage`; by any other fault its bytes are well."""
    if fault == "trunc":
        return data[: len(data) // 2]
    if fault == "hole":
        at = random.randrange(len(data) // 4, len(data) * 3 // 4)
        return data[:at] + data[at + 512 :]
    if fault == "garbage":
        return random.randbytes(len(data))
    return data
