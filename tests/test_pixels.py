from __future__ import annotations

import av
import cv2
import numpy as np
import pytest

from edge_engine.errors import CorruptFrameError
from edge_engine.pixels import AvPixels, BgrPixels, Colour, Image, JpegPixels, Pixels, Region
from tests.sources.made import difference

RNG = np.random.default_rng(7)
COLOURS = RNG.integers(40, 215, (6, 8, 3), np.uint8)

# FFmpeg's numbers
BT709, UNSPECIFIED, BT601 = 1, 2, 6
LIMITED, FULL = 1, 2


def picture(size: tuple[int, int] = (640, 360)) -> Image:
    """A smooth picture of many colours: what is left of a difference is the road's, not aliasing."""
    return np.asarray(cv2.resize(COLOURS, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def as_bgr(image: Image) -> Pixels:
    return BgrPixels(image)


def as_jpeg(image: Image) -> Pixels:
    data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 98])[1].tobytes()
    return JpegPixels(data, (image.shape[1], image.shape[0]))


def as_av(image: Image, fmt: str = "yuv420p", space: int = BT601, colour_range: int = LIMITED) -> Pixels:
    frame = av.VideoFrame.from_ndarray(image, format="bgr24")
    frame = frame.reformat(format=fmt, dst_colorspace=space, dst_color_range=colour_range)
    frame.colorspace, frame.color_range = space, colour_range
    return AvPixels(frame)


ROADS = {
    "bgr": as_bgr,
    "jpeg": as_jpeg,
    "yuv420p": as_av,
    "yuv420p unspecified": lambda image: as_av(image, space=UNSPECIFIED, colour_range=0),
    "yuv420p bt709": lambda image: as_av(image, space=BT709),
    "yuv420p full range": lambda image: as_av(image, colour_range=FULL),
    "yuv420p bt709 full range": lambda image: as_av(image, space=BT709, colour_range=FULL),
    "yuvj420p": lambda image: as_av(image, "yuvj420p", colour_range=FULL),
    "yuv422p": lambda image: as_av(image, "yuv422p"),
    "yuv444p": lambda image: as_av(image, "yuv444p"),
    "yuyv422": lambda image: as_av(image, "yuyv422"),
    "nv12": lambda image: as_av(image, "nv12"),
    "rgb24": lambda image: as_av(image, "rgb24"),
}


@pytest.mark.parametrize("colour", ["RGB", "BGR"])
@pytest.mark.parametrize("size", [(640, 360), (641, 361), (129, 97), (1921, 1081)])
@pytest.mark.parametrize("road", ROADS)
def test_every_road_gives_what_converting_whole_and_resizing_gives(
    road: str, size: tuple[int, int], colour: Colour
) -> None:
    """Within 4 of 255 levels: swscale's fast conversions round down by up to 2."""
    image = picture(size)
    pixels = ROADS[road](image)
    target = np.empty((180, 320, 3), np.uint8)
    pixels.resize_into(target, colour)
    shown = target if colour == "BGR" else target[..., ::-1]
    assert pixels.size == size
    assert pixels.bgr().shape == image.shape
    assert difference(pixels.bgr(), image) < 4
    assert difference(shown, np.asarray(cv2.resize(pixels.bgr(), (320, 180)), np.uint8)) < 4
    assert difference(shown, np.asarray(cv2.resize(image, (320, 180)), np.uint8)) < 4


@pytest.mark.parametrize("road", ROADS)
def test_a_letterboxs_inner_part_is_filled_and_nothing_else(road: str) -> None:
    for rows, columns in [
        (slice(20, 100), slice(None)),
        (slice(None), slice(10, 90)),
        (slice(6, 46), slice(8, 68)),
    ]:
        canvas = np.full((120, 160, 3), 114, np.uint8)
        inner = canvas[rows, columns]
        whole = np.empty(inner.shape, np.uint8)
        pixels = ROADS[road](picture())
        pixels.resize_into(inner, "RGB")
        pixels.resize_into(whole, "RGB")
        assert np.array_equal(inner, whole)
        outside = np.ones(canvas.shape, bool)
        outside[rows, columns] = False
        assert (canvas[outside] == 114).all()


@pytest.mark.parametrize("road", ROADS)
def test_enlarging_works_too(road: str) -> None:
    image = picture((40, 30))
    target = np.empty((480, 640, 3), np.uint8)
    ROADS[road](image).resize_into(target, "BGR")
    assert difference(target, np.asarray(cv2.resize(image, (640, 480)), np.uint8)) < 5


@pytest.mark.parametrize("size", [(640, 360), (641, 361), (1921, 1081)])
@pytest.mark.parametrize("shape", [(180, 180), (90, 160), (65, 45), (1000, 700)])
@pytest.mark.parametrize("road", ROADS)
def test_a_region_is_what_cutting_it_out_and_resizing_gives(
    road: str, size: tuple[int, int], shape: tuple[int, int]
) -> None:
    """Within 7 of 255 levels: where the whole is made small first, the cut is to the nearest pixel."""
    image = picture(size)
    pixels = ROADS[road](image)
    middle = Region(140, 40, 280, 280)
    to_the_edge = Region(320, 30, size[0] - 320, size[1] - 30)
    for region in (middle, to_the_edge):
        left, top, width, height = region
        target = np.empty((*shape, 3), np.uint8)
        pixels.resize_into(target, "BGR", region)
        part = np.ascontiguousarray(image[top : top + height, left : left + width])
        assert difference(target, np.asarray(cv2.resize(part, shape[::-1]), np.uint8)) < 7


@pytest.mark.parametrize("road", ROADS)
def test_a_region_of_the_whole_is_the_whole(road: str) -> None:
    pixels = ROADS[road](picture())
    whole, region = np.empty((2, 120, 160, 3), np.uint8)
    pixels.resize_into(whole, "RGB")
    pixels.resize_into(region, "RGB", Region(0, 0, 640, 360))
    np.testing.assert_array_equal(whole, region)


@pytest.mark.parametrize("region", [Region(0, 0, 1, 1), Region(638, 358, 2, 2), Region(638, 100, 1, 4)])
@pytest.mark.parametrize("shape", [(8, 8), (7, 5)])
@pytest.mark.parametrize("road", ROADS)
def test_the_smallest_regions_work(road: str, shape: tuple[int, int], region: Region) -> None:
    pixels = ROADS[road](picture())
    target = np.empty((*shape, 3), np.uint8)
    pixels.resize_into(target, "BGR", region)
    left, top, width, height = region
    part = np.ascontiguousarray(pixels.bgr()[top : top + height, left : left + width])
    assert difference(target, np.asarray(cv2.resize(part, shape[::-1]), np.uint8)) < 5


@pytest.mark.parametrize("road", ROADS)
def test_a_target_with_odd_sides_is_filled_too(road: str) -> None:
    image = picture()
    target = np.empty((257, 255, 3), np.uint8)
    ROADS[road](image).resize_into(target, "BGR")
    assert difference(target, np.asarray(cv2.resize(image, (255, 257)), np.uint8)) < 4


@pytest.mark.parametrize("fmt", ["gray", "gray16le"])
def test_grey_video_has_equal_channels(fmt: str) -> None:
    image = np.repeat(picture()[:, :, :1], 3, axis=2)
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image[:, :, 0]), format="gray").reformat(
        format=fmt
    )
    target = np.empty((180, 320, 3), np.uint8)
    AvPixels(frame).resize_into(target, "RGB")
    assert difference(target, np.asarray(cv2.resize(image, (320, 180)), np.uint8)) < 2


@pytest.mark.parametrize(
    ("size", "side"), [((640, 480), 320), ((1280, 960), 320), ((2560, 1920), 320), ((640, 480), 500)]
)
def test_a_jpeg_is_right_at_every_reduced_decode(size: tuple[int, int], side: int) -> None:
    image = picture(size)
    target = np.empty((side, side, 3), np.uint8)
    as_jpeg(image).resize_into(target, "BGR")
    assert difference(target, np.asarray(cv2.resize(image, (side, side)), np.uint8)) < 3


@pytest.mark.parametrize("side", [416, 200, 100, 50])
@pytest.mark.parametrize("kept", [0, 1, 100, 0.5, 0.99])
def test_a_truncated_jpeg_is_corrupt_at_every_reduced_decode(kept: float, side: int) -> None:
    data = cv2.imencode(".jpg", picture())[1].tobytes()
    cut = data[: int(len(data) * kept)] if isinstance(kept, float) else data[:kept]
    with pytest.raises(CorruptFrameError, match="can't be decoded"):
        JpegPixels(cut, (640, 360)).resize_into(np.empty((side, side, 3), np.uint8), "RGB")


@pytest.mark.parametrize(
    "image", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32), np.zeros((0, 4, 3), np.uint8)]
)
def test_what_is_no_bgr_picture_is_refused(image: Image) -> None:
    with pytest.raises(CorruptFrameError, match="expected a uint8 picture"):
        BgrPixels(image)
