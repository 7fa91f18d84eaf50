"""Letterbox: boxes go into the model's input and back, for every fit, odd size and shape."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_engine.letterbox import Fit, Letterbox

sizes = st.tuples(st.integers(1, 8000), st.integers(1, 8000))
picture_sizes = st.tuples(st.integers(100, 1000), st.integers(100, 1000))
input_sizes = st.tuples(st.integers(8, 640), st.integers(8, 640)).map(lambda s: (s[0] * 2, s[1] * 2))
fits: st.SearchStrategy[Fit] = st.sampled_from(["centre", "top-left", "stretch", "crop"])
shares = st.floats(0.1, 1)


@given(sizes, input_sizes, fits)
def test_the_picture_lies_inside_the_input_with_even_sides(
    source: tuple[int, int], size: tuple[int, int], fit: Fit
) -> None:
    box = Letterbox.fit(source, size, fit)
    assert box.left >= 0
    assert box.top >= 0
    assert box.left + box.width <= size[0]
    assert box.top + box.height <= size[1]
    assert (box.width % 2, box.height % 2) == (0, 0)
    assert min(box.width, box.height) >= 2
    if fit in ("stretch", "crop"):
        assert (box.width, box.height) == size


@given(sizes, input_sizes, fits, st.data())
def test_boxes_come_back_within_half_a_pixel(
    source: tuple[int, int], size: tuple[int, int], fit: Fit, data: st.DataObject
) -> None:
    width, height = source
    corners = st.tuples(st.floats(0, width, width=32), st.floats(0, height, width=32))
    (x1, y1), (x2, y2) = data.draw(corners), data.draw(corners)
    boxes = np.array([[min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)]], np.float32)
    box = Letterbox.fit(source, size, fit)
    assert np.abs(box.to_source(box.to_input(boxes)) - boxes).max() <= 0.5


def test_boxes_are_clipped_to_the_picture() -> None:
    box = Letterbox.fit((100, 50), (416, 416), "centre")
    assert box.to_source(np.array([[-50, -50, 999, 999]], np.float32)).tolist() == [[0, 0, 100, 50]]


def test_no_boxes_stay_no_boxes() -> None:
    assert Letterbox.fit((10, 10), (32, 32), "centre").to_source(np.empty((0, 4), np.float32)).shape == (0, 4)


@given(sizes, input_sizes, fits, shares, st.data())
def test_points_come_back_from_the_input_and_boxes_corners_with_them(
    source: tuple[int, int], size: tuple[int, int], fit: Fit, share: float, data: st.DataObject
) -> None:
    box = Letterbox.fit(source, size, fit, share)
    points = st.tuples(st.floats(-9, 2000, width=32), st.floats(-9, 2000, width=32))
    drawn = np.array(data.draw(st.lists(points, min_size=1, max_size=4)), np.float32)
    there = box.points_to_source(drawn[None])
    assert there.shape == (1, *drawn.shape)
    assert there.dtype == np.float32
    back = box.to_input(np.concatenate([there[0], there[0]], axis=1))[:, :2]
    tolerance = 1e-3 * (1 + np.abs(drawn)) * max(1, box.scale_x, box.scale_y)
    assert (np.abs(back - drawn) <= tolerance).all()
    corners = box.to_source(np.concatenate([drawn, drawn], axis=1))[:, :2]
    np.testing.assert_array_equal(corners, np.clip(there[0], 0, source))


@given(sizes, input_sizes, shares)
def test_a_crop_is_the_middle_of_the_picture_in_the_inputs_shape(
    source: tuple[int, int], size: tuple[int, int], share: float
) -> None:
    box = Letterbox.fit(source, size, "crop", share)
    left, top, width, height = box.region or (0, 0, *source)
    assert (left % 2, top % 2) == (0, 0)
    scale = share * min(source[0] / size[0], source[1] / size[1])
    for start, kept, side, wanted in zip((left, top), (width, height), source, size, strict=True):
        assert start >= 0
        assert 1 <= kept <= side - start
        assert kept == side or kept % 2 == 0
        assert abs(kept - wanted * scale) <= 2
        assert abs(start - (side - kept) / 2) <= 2


def test_a_crop_is_what_resizing_the_short_side_and_cutting_out_the_middle_is() -> None:
    """ImageNet's custom: the short side to 256, then the middle 224 of it."""
    box = Letterbox.fit((1280, 720), (224, 224), "crop", 224 / 256)
    assert box.region == ((1280 - 630) // 4 * 2, (720 - 630) // 4 * 2, 630, 630)
    whole = np.array([[0, 0, 224, 224]], np.float32)
    assert box.to_source(whole).tolist() == [[324, 44, 954, 674]]


def test_a_crop_of_a_picture_in_the_inputs_shape_is_the_whole() -> None:
    assert Letterbox.fit((640, 480), (320, 240), "crop") == Letterbox.fit((640, 480), (320, 240), "stretch")


@settings(deadline=None)
@given(picture_sizes, input_sizes, fits, st.floats(0.5, 1), st.integers(4, 32))
def test_a_grid_over_the_input_becomes_one_over_the_picture(
    source: tuple[int, int], size: tuple[int, int], fit: Fit, share: float, stride: int
) -> None:
    """Cells that lie well within a part of the picture are marked, those well outside are not."""
    box = Letterbox.fit(source, size, fit, share)
    columns, rows = -(-size[0] // stride), -(-size[1] // stride)
    grid = np.zeros((2, rows, columns), np.uint8)
    grid[:, rows // 4 : rows - rows // 4, columns // 4 : columns - columns // 4] = 1
    cut = box.crop(grid)
    assert len(cut) == 2
    assert cut.dtype == np.uint8
    marked = np.array([[columns // 4, rows // 4, columns - columns // 4, rows - rows // 4]], np.float32)
    marked *= np.array([size[0] / columns, size[1] / rows] * 2, np.float32)
    part = box.to_source(marked)[0] / np.array(source * 2) * np.array([cut.shape[2], cut.shape[1]] * 2)
    first, last = np.ceil(part[:2] + 1).astype(int), np.floor(part[2:] - 1).astype(int)
    assert cut[:, first[1] : max(last[1], first[1]), first[0] : max(last[0], first[0])].all()
    outside = cut[0].copy()
    first, last = np.floor(part[:2] - 1).astype(int), np.ceil(part[2:] + 1).astype(int)
    outside[max(first[1], 0) : last[1], max(first[0], 0) : last[0]] = 0
    assert not outside.any()


def test_a_long_pictures_grid_has_no_more_cells_than_the_picture_has_pixels() -> None:
    box = Letterbox.fit((8192, 2), (416, 416), "crop")
    whole = box.crop(np.ones((104, 104), np.uint8))
    assert whole.shape == (2, 8192)
    assert whole.sum() == 4
    assert whole[:, 4095:4097].sum() + whole[:, 4094:4096].sum() >= 4


def test_what_a_crop_does_not_see_holds_no_mask() -> None:
    box = Letterbox.fit((400, 100), (100, 100), "crop")
    whole = box.crop(np.ones((10, 10), np.uint8))
    assert whole.shape == (10, 40)
    assert whole.sum() == 100
    assert whole[:, 15:25].all()
