"""A mark painted into a picture is found in the model's input, and mapped back to where it was painted.

Through the engine's own preprocessing, for every pixel format, fit, size and shape. What a model sees has
whole pixels: an edge is found to half of one, which is half a source pixel where pictures are made larger
(scale >= 1), and half a model pixel's worth of source pixels, 0.5 / scale, where they are made smaller.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_engine.frame import Frame
from edge_engine.letterbox import Fit, Letterbox
from edge_engine.models.spec import InputSpec
from edge_engine.pixels import Image
from edge_engine.result import Objects, Segmentation
from edge_engine.slots import Canvas
from edge_engine.stages.preprocess import fill
from tests.test_pixels import ROADS

PAD = 64  # darker than half a mark
MOST_PIXELS = 1_500_000
ROUNDING = 0.05  # model pixels: levels are rounded
TWO_STEPS = 0.2  # model pixels: what is made smaller by a decoder or by swscale first is filtered twice
FITS: tuple[Fit, ...] = ("centre", "top-left", "stretch", "crop")


class Case(NamedTuple):
    """A picture's size, an input's, and where in the seen part the mark lies, as shares."""

    size: tuple[int, int]
    input_size: tuple[int, int]
    fit: Fit
    shares: tuple[float, float, float, float]

    def letterbox(self) -> Letterbox:
        return Letterbox.fit(self.size, self.input_size, self.fit)

    def mark(self) -> tuple[int, int, int, int]:
        """Left, top, right, bottom in whole source pixels; at least four model pixels wide and high."""
        box = self.letterbox()
        left, top, width, height = box.region or (0, 0, *self.size)
        x = _span(left, width, box.scale_x, *self.shares[:2])
        y = _span(top, height, box.scale_y, *self.shares[2:])
        return x[0], y[0], x[1], y[1]


def _span(start: int, length: int, scale: float, where: float, share: float) -> tuple[int, int]:
    least = min(length, int(np.ceil(4 / scale)))
    kept = least + round((length - least) * share)
    first = start + round((length - kept) * where)
    return first, first + kept


sides = st.integers(1, 8192) | st.integers(1, 64) | st.sampled_from([1, 2, 3, 1001, 1921, 2049, 8191, 8192])
sizes = st.tuples(sides, sides).filter(lambda size: size[0] * size[1] <= MOST_PIXELS)
shares = st.floats(0, 1)
cases = st.builds(
    Case,
    sizes,
    st.sampled_from([(416, 416), (320, 192), (64, 48), (225, 225), (257, 129)]),
    st.sampled_from(FITS),
    st.tuples(shares, shares, shares, shares),
)


def painted(case: Case) -> Image:
    left, top, right, bottom = case.mark()
    image = np.zeros((case.size[1], case.size[0], 3), np.uint8)
    image[top:bottom, left:right] = 255
    return image


def input_of(case: Case, road: str) -> NDArray[np.float64]:
    """The model's input as levels [height, width]."""
    width, height = case.input_size
    pixels = ROADS[road](painted(case))
    slot = Canvas(np.full((1, height, width, 3), PAD, np.uint8))
    spec = InputSpec(width, height, "NHWC", "uint8", "RGB", case.fit, pad=PAD)
    fill(slot, Frame("s", 0, 0, 0, pixels.size, pixels), spec)
    return np.asarray(slot.tensor[0].mean(axis=2))


def found_in(levels: NDArray[np.float64], case: Case) -> NDArray[np.float32]:
    """The mark's box float32 [1, 4] in input pixels, where it is more light than dark along its middle."""
    left, top, right, bottom = case.letterbox().to_input(np.array([case.mark()], np.float32))[0]
    row, column = levels[int((top + bottom) / 2)], levels[:, int((left + right) / 2)]
    x, y = np.flatnonzero(row >= 128), np.flatnonzero(column >= 128)
    assert x.size, "the mark is lost"
    assert y.size, "the mark is lost"
    return np.array([[x[0], y[0], x[-1] + 1, y[-1] + 1]], np.float32)


@pytest.mark.parametrize("road", ["bgr", "jpeg", "yuv420p", "yuv444p", "nv12", "yuyv422"])
def test_a_mark_comes_back_to_where_it_was_painted(road: str) -> None:
    @settings(deadline=None, max_examples=25)
    @example(Case((641, 333), (64, 48), "top-left", (0.5, 0.7, 1.0, 0.9)))  # no multiple of a JPEG's blocks
    @example(Case((1921, 2049), (225, 225), "crop", (0.3, 0.5, 0.8, 0.2)))  # edges within scaled pixels
    @example(Case((8191, 1), (64, 48), "stretch", (0.5, 0.0, 0.5, 0.0)))  # more than swscale can do
    @example(Case((1, 8192), (64, 48), "stretch", (0.0, 0.5, 0.0, 0.5)))
    @example(Case((1001, 5), (416, 416), "crop", (0.6, 0.0, 0.9, 0.0)))
    @given(cases)
    def check(case: Case) -> None:
        levels, box = input_of(case, road), case.letterbox()
        objects = Objects(found_in(levels, case), np.ones(1, np.float32), np.zeros(1, np.int32))
        back = objects.to_source(box).boxes_xyxy[0]
        for sides, scale in ((slice(0, 4, 2), box.scale_x), (slice(1, 4, 2), box.scale_y)):
            expected = np.array(case.mark()[sides])
            slack = ROUNDING if road in ("bgr", "yuv420p") else TWO_STEPS
            allowed = (0.5 + slack) / min(scale, 1)
            assert np.abs(back[sides] - expected).max() <= allowed, (back, case.mark(), scale)
        outside = levels.copy()
        outside[box.top : box.top + box.height, box.left : box.left + box.width] = PAD
        assert (outside == PAD).all(), "nothing is painted into the padding"

    check()


@settings(deadline=None, max_examples=60)
@given(cases, st.sampled_from([1, 2, 4, 8]))
def test_a_marks_cells_lie_over_the_mark(case: Case, stride: int) -> None:
    """Of a grid that covers the input, an edge is known to half a cell, and the cut to whole cells moves it
    by half of one more; cells of a model pixel are cut exactly. Around what a crop sees, cells are added, to
    half of one on each side. A thin mark may lie between cells' centres."""
    left, top, right, bottom = case.mark()
    box = case.letterbox()
    assume(all(side % stride == 0 for side in case.input_size))
    assume(min((right - left) * box.scale_x, (bottom - top) * box.scale_y) >= 2 * stride)
    grid = (input_of(case, "bgr")[stride // 2 :: stride, stride // 2 :: stride] >= 128).astype(np.uint8)
    is_crop = box.region is not None
    seen = Segmentation(grid).to_source(box).class_ids
    for axis, (length, scale) in enumerate(((case.size[1], box.scale_y), (case.size[0], box.scale_x))):
        inside = np.flatnonzero(seen.any(axis=1 - axis))
        expected = (top, bottom) if axis == 0 else (left, right)
        edges = np.array([inside[0], inside[-1] + 1]) * length / seen.shape[axis]
        cells = 2.0 if is_crop else 1.0 if stride > 1 else 0.5
        allowed = max((cells * stride + ROUNDING) / scale, cells)
        assert np.abs(edges - expected).max() <= allowed


@settings(deadline=None, max_examples=60)
@given(sizes, st.tuples(st.integers(2, 700), st.integers(2, 700)), st.sampled_from(FITS), st.data())
def test_boxes_come_back_inside_the_picture_whatever_a_model_says(
    size: tuple[int, int], input_size: tuple[int, int], fit: Fit, data: st.DataObject
) -> None:
    ends = st.tuples(*[st.floats(-1e4, 1e4, width=32)] * 2).map(sorted)
    (left, right), (top, bottom) = data.draw(ends), data.draw(ends)
    box = Letterbox.fit(size, input_size, fit)
    (back,) = box.to_source(np.array([[left, top, right, bottom]], np.float32))
    assert (back >= 0).all()
    assert (back <= np.array(size * 2)).all()
    assert (back[:2] <= back[2:]).all()


@settings(deadline=None, max_examples=60)
@given(sizes, st.tuples(st.integers(2, 700), st.integers(2, 700)), st.sampled_from(FITS), shares, shares)
def test_keypoints_come_back_to_where_they_were(
    size: tuple[int, int], input_size: tuple[int, int], fit: Fit, x: float, y: float
) -> None:
    """Computed, not seen: to a hundredth of a source pixel, or of a model pixel's worth."""
    box = Letterbox.fit(size, input_size, fit)
    point = np.array([x * size[0], y * size[1]], np.float32)
    there = box.to_input(np.concatenate([point, point])[None])[0, :2]
    keypoints = np.array([[[*there, 0.7]]], np.float32)
    one = Objects(np.zeros((1, 4), np.float32), np.ones(1, np.float32), np.zeros(1, np.int32), keypoints)
    back = one.to_source(box).keypoints
    assert back is not None
    assert np.abs(back[0, 0, :2] - point).max() <= 0.01 / min(box.scale_x, box.scale_y, 1)
    assert back[0, 0, 2] == np.float32(0.7)
