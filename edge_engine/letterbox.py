"""Letterbox: which part of a picture lies where in a model's input, and the way back for boxes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from edge_engine.pixels import Region

T = TypeVar("T", bound=np.generic)

Fit = Literal["centre", "top-left", "stretch", "crop"]


@dataclass(frozen=True, slots=True)
class Letterbox:
    """The picture fills [top : top + height, left : left + width] of the input; the rest is padding.

    `region`: the part of the picture that does; None for the whole. `scale_x`, `scale_y`: input pixels per
    source pixel. Width and height are even where the input's are, so that pictures with halved chroma planes
    fit.
    """

    left: int
    top: int
    width: int
    height: int
    scale_x: float
    scale_y: float
    source_size: tuple[int, int]
    input_size: tuple[int, int]
    region: Region | None = None

    @classmethod
    def fit(
        cls, source_size: tuple[int, int], input_size: tuple[int, int], fit: Fit, crop: float = 1.0
    ) -> Letterbox:
        """Sizes are (width, height) in pixels. Fit "crop" fills the input with the middle of the picture:
        the largest part of the input's shape, of whose sides the share `crop`, above 0 to 1, is kept."""
        if fit == "crop":
            return cls._cropped(source_size, input_size, crop)
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

    @classmethod
    def _cropped(cls, source_size: tuple[int, int], input_size: tuple[int, int], crop: float) -> Letterbox:
        source_width, source_height = source_size
        width, height = input_size
        scale = crop * min(source_width / width, source_height / height)
        left, kept_width = _middle(source_width, width * scale)
        top, kept_height = _middle(source_height, height * scale)
        region = Region(left, top, kept_width, kept_height)
        scale_x, scale_y = width / kept_width, height / kept_height
        if (kept_width, kept_height) == source_size:
            return cls(0, 0, width, height, scale_x, scale_y, source_size, input_size)
        return cls(0, 0, width, height, scale_x, scale_y, source_size, input_size, region)

    def _origin(self) -> tuple[int, int]:
        """Left and top of the part of the picture that fills the place, in source pixels."""
        return (self.region.left, self.region.top) if self.region is not None else (0, 0)

    def to_source(self, boxes_xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
        """Boxes float32 [n, 4] in input pixels → source pixels, clipped to the picture."""
        offset = np.array([self.left, self.top] * 2, np.float32)
        scale = np.array([self.scale_x, self.scale_y] * 2, np.float32)
        origin = np.array(self._origin() * 2, np.float32)
        limit = np.array(self.source_size * 2, np.float32)
        boxes: NDArray[np.float32] = np.maximum((boxes_xyxy - offset) / scale + origin, 0)
        return np.minimum(boxes, limit)

    def points_to_source(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Points float32 [..., 2], x and y in input pixels → source pixels; they may lie outside."""
        offset = np.array([self.left, self.top], np.float32)
        scale = np.array([self.scale_x, self.scale_y], np.float32)
        origin = np.array(self._origin(), np.float32)
        return np.asarray((points - offset) / scale + origin, np.float32)

    def crop(self, grid: NDArray[T]) -> NDArray[T]:
        """Of a grid [..., rows, columns] laid over the whole input, the one that lies over the picture.

        A view; but zeros where the model saw nothing of the picture, so that it covers the whole.
        """
        rows, columns = grid.shape[-2:]
        width, height = self.input_size
        top, bottom = (round(y * rows / height) for y in (self.top, self.top + self.height))
        left, right = (round(x * columns / width) for x in (self.left, self.left + self.width))
        seen = grid[..., top : max(bottom, top + 1), left : max(right, left + 1)]
        return seen if self.region is None else self._surrounded(seen, self.region)

    def _surrounded(self, seen: NDArray[T], region: Region) -> NDArray[T]:
        """A grid over a region of the picture, within zeros over the rest of it; with no more cells than the
        region has pixels, lest a long picture's becomes one of its length times the enlargement."""
        seen = _at_most(seen, region.height, region.width)
        *others, rows, columns = seen.shape
        x, y = columns / region.width, rows / region.height  # cells per source pixel
        left, top = round(region.left * x), round(region.top * y)
        right = round((self.source_size[0] - region.left - region.width) * x)
        bottom = round((self.source_size[1] - region.top - region.height) * y)
        grid = np.zeros((*others, top + rows + bottom, left + columns + right), seen.dtype)
        grid[..., top : top + rows, left : left + columns] = seen
        return grid

    def to_input(self, boxes_xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
        """Boxes float32 [n, 4] in source pixels → input pixels."""
        offset = np.array([self.left, self.top] * 2, np.float32)
        scale = np.array([self.scale_x, self.scale_y] * 2, np.float32)
        origin = np.array(self._origin() * 2, np.float32)
        boxes: NDArray[np.float32] = (boxes_xyxy - origin) * scale + offset
        return boxes


def _at_most(grid: NDArray[T], rows: int, columns: int) -> NDArray[T]:
    """Every so many cells of a grid [..., rows, columns], where it has more than that."""
    places = [
        np.floor((np.arange(kept) + 0.5) * length / kept).astype(int)
        for length, kept in zip(grid.shape[-2:], np.minimum(grid.shape[-2:], (rows, columns)), strict=True)
    ]
    is_whole = (len(places[0]), len(places[1])) == grid.shape[-2:]
    return grid if is_whole else grid[..., places[0][:, None], places[1]]


def _even(length: float) -> int:
    """The even whole number nearest to a length, at least 2."""
    return max(2 * round(length / 2), 2)


def _middle(length: int, kept: float) -> tuple[int, int]:
    """Start and length of the middle of a side; both are even, but for the length of a whole side."""
    if kept >= length - 1:
        return 0, length
    whole = min(_even(kept), length)
    return (length - whole) // 4 * 2, whole
