"""Letterbox: where a picture lies in a model's input, and the way back for boxes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", bound=np.generic)

Fit = Literal["centre", "top-left", "stretch"]


@dataclass(frozen=True, slots=True)
class Letterbox:
    """The picture fills [top : top + height, left : left + width] of the input; the rest is padding.

    `scale_x`, `scale_y`: input pixels per source pixel. Width and height are even, so that pictures
    with halved chroma planes fit.
    """

    left: int
    top: int
    width: int
    height: int
    scale_x: float
    scale_y: float
    source_size: tuple[int, int]
    input_size: tuple[int, int]

    @classmethod
    def fit(cls, source_size: tuple[int, int], input_size: tuple[int, int], fit: Fit) -> Letterbox:
        """Sizes are (width, height) in pixels; the input's must be even."""
        source_width, source_height = source_size
        width, height = input_size
        if fit != "stretch":
            scale = min(width / source_width, height / source_height)
            width = min(width, _even(source_width * scale))
            height = min(height, _even(source_height * scale))
        left = (input_size[0] - width) // 2 if fit == "centre" else 0
        top = (input_size[1] - height) // 2 if fit == "centre" else 0
        scale_x, scale_y = width / source_width, height / source_height
        return cls(left, top, width, height, scale_x, scale_y, source_size, input_size)

    def to_source(self, boxes_xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
        """Boxes float32 [n, 4] in input pixels → source pixels, clipped to the picture."""
        offset = np.array([self.left, self.top] * 2, np.float32)
        scale = np.array([self.scale_x, self.scale_y] * 2, np.float32)
        limit = np.array(self.source_size * 2, np.float32)
        boxes: NDArray[np.float32] = np.maximum((boxes_xyxy - offset) / scale, 0)
        return np.minimum(boxes, limit)

    def points_to_source(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Points float32 [..., 2], x and y in input pixels → source pixels; they may lie outside."""
        offset = np.array([self.left, self.top], np.float32)
        scale = np.array([self.scale_x, self.scale_y], np.float32)
        return np.asarray((points - offset) / scale, np.float32)

    def crop(self, grid: NDArray[T]) -> NDArray[T]:
        """Of a grid [..., rows, columns] laid over the whole input, the part that lies over the picture."""
        rows, columns = grid.shape[-2:]
        width, height = self.input_size
        top, bottom = (round(y * rows / height) for y in (self.top, self.top + self.height))
        left, right = (round(x * columns / width) for x in (self.left, self.left + self.width))
        return grid[..., top : max(bottom, top + 1), left : max(right, left + 1)]

    def to_input(self, boxes_xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
        """Boxes float32 [n, 4] in source pixels → input pixels."""
        offset = np.array([self.left, self.top] * 2, np.float32)
        scale = np.array([self.scale_x, self.scale_y] * 2, np.float32)
        boxes: NDArray[np.float32] = boxes_xyxy * scale + offset
        return boxes


def _even(length: float) -> int:
    """The even whole number nearest to a length, at least 2."""
    return max(2 * round(length / 2), 2)
