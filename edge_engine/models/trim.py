"""Trim: the input size at which a model is spared the padding of its letterbox.

A picture of 1280x720 fills 416x234 of a square input of 416: the rest is grey, and costs as much as the
picture. Left out but for a margin, the input is 416x256, and the picture lies in it at the same scale.
"""

from __future__ import annotations

from edge_engine.models.spec import InputSpec

_STEP = 32
"""Sides stay multiples of this, as models are exported, even if no grid is as coarse."""
_MARGIN = 16
"""So much padding stays, so that objects at a picture's edge lie in what the model has learnt them in."""


def trimmed_size(picture: InputSpec, source_size: tuple[int, int], stride: int) -> tuple[int, int]:
    """(width, height) of the input for sources of this size; the model's own where nothing can be spared.

    `stride`: the coarsest of the model's grids, whose multiples the sides stay.
    """
    step = max(stride, _STEP)
    if picture.letterbox not in ("centre", "top-left") or picture.width % step or picture.height % step:
        return picture.width, picture.height
    box = picture.lay(source_size)
    return _with_margin(box.width, picture.width, step), _with_margin(box.height, picture.height, step)


def _with_margin(filled: int, whole: int, step: int) -> int:
    return whole if filled == whole else min(-(-(filled + _MARGIN) // step) * step, whole)
