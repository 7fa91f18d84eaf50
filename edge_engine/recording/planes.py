"""Planes of FFmpeg's frames without the padding at the end of their lines, in any pixel format."""

from __future__ import annotations

from typing import NamedTuple

import av

from edge_engine.pixels import Image, plane_lines


class Plane(NamedTuple):
    """How many lines, and how many bytes in each of them are pixels."""

    rows: int
    row_bytes: int


def tight_planes(frame: av.VideoFrame) -> list[Image]:
    """Views on the frame's planes, to read or to write: uint8 [rows, row_bytes] each."""
    layout = planes_of(frame.format.name, (frame.width, frame.height))
    lines = (plane_lines(plane) for plane in frame.planes)
    return [each[: plane.rows, : plane.row_bytes] for each, plane in zip(lines, layout, strict=True)]


def planes_of(pixel_format: str, size: tuple[int, int]) -> list[Plane]:
    """Of a picture in FFmpeg's format of that name; ValueError for one that FFmpeg doesn't know."""
    layout = av.VideoFormat(pixel_format, *size)
    parts = layout.components
    if max(part.plane for part in parts) == 0:
        group = 4 // min(part.width for part in av.VideoFormat(pixel_format, 4, 4).components)  # share chroma
        columns = -(-size[0] // group) * group
        return [Plane(size[1], -(-columns * layout.padded_bits_per_pixel // 8))]
    planes = [[part for part in parts if part.plane == number] for number in range(len(parts))]
    return [
        Plane(max(part.height for part in plane), sum(-(-part.bits // 8) * part.width for part in plane))
        for plane in planes
        if plane
    ]
