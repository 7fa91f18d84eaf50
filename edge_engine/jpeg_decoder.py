"""Decoding of JPEGs, made smaller on the way, and the decoder's own word on whether the data is whole.

Where data is missing, as after a packet that got lost, libjpeg goes on, shows grey or what belongs elsewhere,
and gives a warning. OpenCV has no way to hear it; simplejpeg, which decodes with the same library in the
same time, has.
"""

from __future__ import annotations

import re

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from edge_engine.errors import CorruptFrameError

REDUCTIONS = (1, 2, 4, 8)
"""How many times smaller a picture can be decoded, which takes less time than whole."""

_HARMLESS = re.compile(
    r"Corrupt JPEG data: (\d|1[0-6]) extraneous bytes before marker"  # from some webcams, in whole pictures
    r"|Invalid SOS parameters for sequential JPEG"
    r"|Warning: unknown JFIF revision"
    r"|Unknown Adobe color transform"
)
"""Warnings, by libjpeg's jerror.h, that say nothing of the pixels. The first one of a picture is told."""


def reduced_size(size: tuple[int, int], reduction: int) -> tuple[int, int]:
    """Of a picture of that width and height, decoded so many times smaller."""
    return -(-size[0] // reduction), -(-size[1] // reduction)


def decode_jpeg(data: bytes, target: NDArray[np.uint8]) -> None:
    """Fill target, uint8 [height, width, 3] BGR, which has the picture's size or a reduced one.

    EXIF orientation is not applied. Raises CorruptFrameError for what can't be decoded or is damaged.
    """
    height, width = target.shape[:2]
    try:
        simplejpeg.decode_jpeg(data, "BGR", min_height=height, min_width=width, buffer=target)
    except ValueError as error:
        # Otherwise all of it is decoded nevertheless.
        if not _HARMLESS.match(str(error)):
            raise CorruptFrameError(f"a JPEG of {len(data)} bytes can't be decoded: {error}") from None
