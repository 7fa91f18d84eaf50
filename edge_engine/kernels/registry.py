"""Registry: every kernel's code in native/ and its C signature; a pointer is a C-contiguous array."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple


class Kernel(NamedTuple):
    """`code`: module and function in native/; several dtypes may share it."""

    code: str
    signature: str

    def types(self) -> tuple[str, list[str]]:
        """Of the result and of the arguments: int64(float32*, int64) is int64 and [float32*, int64]."""
        result, _, arguments = self.signature.rstrip(")").partition("(")
        return result, arguments.split(", ")


def checksum(library: Path) -> str:
    """What a compiled library's name ends in, so that a torn one is known."""
    return hashlib.sha256(library.read_bytes()).hexdigest()[:24]


KERNELS = {
    "argmax_pixels": Kernel(
        "argmax:argmax_pixels",
        "int64(float32*, int64, int64, uint8*)",
    ),
    "argmax_pixels_wide": Kernel(
        "argmax:argmax_pixels",
        "int64(float32*, int64, int64, uint16*)",
    ),
    "argmax_planes": Kernel(
        "argmax:argmax_planes",
        "int64(float32*, int64, int64, float32*, uint8*)",
    ),
    "argmax_planes_wide": Kernel(
        "argmax:argmax_planes",
        "int64(float32*, int64, int64, float32*, uint16*)",
    ),
    "begin_tracks": Kernel(
        "motion:begin_tracks",
        "int64(float64*, float64*, int64)",
    ),
    "correct_tracks": Kernel(
        "motion:correct_tracks",
        "int64(float64*, int64, int64*, float64*, int64)",
    ),
    "cut_masks": Kernel(
        "masks:cut_masks",
        "int64(float32*, float32*, float32*, int64, int64, int64, int64, float64, float64, float32*, uint8*)",
    ),
    "decode_anchors": Kernel(
        "anchors:decode_anchors",
        "int64(float32*, float32*, float32*, float32*, int64, int64, int64, int64, int64, float64, "
        "float64, float32*, float32*, int32*, int64, int64)",
    ),
    "decode_boxes": Kernel(
        "boxes:decode_boxes",
        "int64(float32*, float32*, int64, int64, float64, float32*, float32*, int32*, int64, int64)",
    ),
    "decode_gfl": Kernel(
        "gfl:decode_gfl",
        "int64(float32*, float32*, int64, int64, int64, int64, int64, int64, int64, int64, float64, "
        "float64, float32*, float32*, int32*, int64, int64)",
    ),
    "decode_objectness": Kernel(
        "objectness:decode_objectness",
        "int64(float32*, int32*, int64, int64, int64, float32*, int64, float64, float32*, float32*, "
        "int32*, int32*, int64, int64)",
    ),
    "decode_peaks": Kernel(
        "peaks:decode_peaks",
        "int64(float32*, float32*, float32*, int64, int64, int64, float64, int64, float64, float64, "
        "float32*, float32*, int32*, int64, int64)",
    ),
    "decode_rows": Kernel(
        "rows:decode_rows",
        "int64(float32*, int64, int64, float64, float32*, float32*, float32*, int32*, int32*, int64, int64)",
    ),
    "decode_scrfd": Kernel(
        "faces:decode_scrfd",
        "int64(float32*, float32*, int64, int64, int64, int64, int64, float64, float32*, float32*, "
        "int32*, int32*, int64, int64)",
    ),
    "decode_yunet": Kernel(
        "faces:decode_yunet",
        "int64(float32*, float32*, float32*, int64, int64, int64, int64, float64, float32*, float32*, "
        "int32*, int32*, int64, int64)",
    ),
    "nms": Kernel(
        "nms:nms",
        "int64(float32*, float32*, int32*, int64, float64, float64*, int64*, uint8*)",
    ),
    "pair_boxes": Kernel(
        "overlaps:pair_boxes",
        "int64(float64*, int32*, int64, float64*, int32*, float64*, int64, float64, float64*, int64*, "
        "int64*, float64*, int64*)",
    ),
    "points_in_polygons": Kernel(
        "regions:points_in_polygons",
        "int64(float64*, int64, int64, int64*, float64*, int64*, int64, uint8*)",
    ),
    "predict_tracks": Kernel(
        "motion:predict_tracks",
        "int64(float64*, uint8*, int64, float64, float64*)",
    ),
    "replay_tracks": Kernel(
        "motion:replay_tracks",
        "int64(float64*, float64*, float64*, float64*, int64*, int64)",
    ),
    "steps_across_lines": Kernel(
        "regions:steps_across_lines",
        "int64(float64*, float64*, int64, int64, int64*, float64*, int64*, int64, int64*)",
    ),
}
