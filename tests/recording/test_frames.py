"""Pictures into a recording's messages and back, bit for bit, in every format and at odd sizes."""

from __future__ import annotations

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_engine.errors import CorruptFrameError
from edge_engine.frame import Frame
from edge_engine.pixels import AvPixels, BgrPixels, JpegPixels, Pixels
from edge_engine.recording.chroma import ChromaLocations, located
from edge_engine.recording.frames import FrameMessage, described, image_of, pixels_of
from edge_engine.recording.planes import tight_planes
from edge_engine.recording.protobuf import RAW_IMAGE, RawImage, encode_raw, picture_of

FORMATS = (
    *("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "nv12", "nv21", "yuyv422", "uyvy422"),
    *(
        "rgb24",
        "bgr24",
        "rgba",
        "bgra",
        "bgr0",
        "gray",
        "gray10le",
        "gray16le",
        "yuv420p10le",
        "p010le",
        "gbrp",
    ),
)
SIZES = st.tuples(st.integers(1, 70), st.integers(1, 50))


def through(pixels: Pixels) -> Pixels:
    """As a recording gives it back."""
    message = described(Frame("a", 7, 1, 2, pixels.size, pixels), "s", "c", ChromaLocations())
    image = image_of(pixels)
    if isinstance(image, RawImage):
        return pixels_of(message, picture_of(RAW_IMAGE, encode_raw(5, "a", image)))
    return pixels_of(message, image)


def assert_same_for_a_model(before: Pixels, after: Pixels) -> None:
    assert type(before) is type(after)
    assert before.size == after.size
    assert np.array_equal(before.bgr(), after.bgr())
    inputs = np.zeros((2, 24, 32, 3), np.uint8)
    before.resize_into(inputs[0], "RGB")
    after.resize_into(inputs[1], "RGB")
    assert np.array_equal(inputs[0], inputs[1])


@settings(deadline=None)
@given(
    pixel_format=st.sampled_from(FORMATS),
    size=SIZES,
    space=st.sampled_from([1, 2, 5, 6, 9]),
    full=st.booleans(),
    seed=st.integers(0, 9),
)
def test_a_decoded_frame_comes_back_as_it_was(
    pixel_format: str, size: tuple[int, int], space: int, full: bool, seed: int
) -> None:
    frame = av.VideoFrame(*size, pixel_format)
    generator = np.random.default_rng(seed)
    for plane in frame.planes:
        lines = np.frombuffer(plane, np.uint8)  # type: ignore[call-overload]
        lines[:] = generator.integers(0, 256, lines.shape, np.uint8)
    frame.colorspace, frame.color_range = space, 2 if full else 1
    before, after = AvPixels(frame), through(AvPixels(frame))
    assert isinstance(after, AvPixels)
    assert after.frame.format.name == pixel_format
    assert (int(after.frame.colorspace), int(after.frame.color_range)) == (space, 2 if full else 1)
    assert_same_for_a_model(before, after)


@settings(deadline=None)
@given(pixel_format=st.sampled_from(["yuv420p", "yuv422p", "yuvj420p", "nv12", "yuv420p10le"]), size=SIZES)
def test_the_planes_stay_wherever_the_chroma_lies(pixel_format: str, size: tuple[int, int]) -> None:
    frame = av.VideoFrame(*size, pixel_format)
    for plane in tight_planes(frame):
        plane[:] = np.random.default_rng(0).integers(0, 256, plane.shape, np.uint8)
    copies = tight_planes(located(frame, "left"))
    assert all(map(np.array_equal, tight_planes(frame), copies))


@pytest.mark.parametrize("location", ["unspecified", "left", "center", "topleft"])
def test_chroma_lies_where_it_lay(location: str) -> None:
    """In HD colours, which go through swscale, as most cameras' do."""
    image = np.random.default_rng(0).integers(0, 256, (96, 160, 3), np.uint8)
    frame = av.VideoFrame.from_ndarray(image, format="bgr24").reformat(format="yuv420p")
    frame.colorspace = 1
    before = AvPixels(located(frame, location))
    assert_same_for_a_model(before, through(before))


@settings(deadline=None)
@given(size=SIZES, seed=st.integers(0, 9))
def test_a_bgr_picture_comes_back_as_it_was(size: tuple[int, int], seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    assert_same_for_a_model(BgrPixels(image), through(BgrPixels(image)))


def test_a_jpeg_stays_the_same_bytes() -> None:
    packed = cv2.imencode(".jpg", np.full((33, 47, 3), 90, np.uint8))[1].tobytes()
    after = through(JpegPixels(packed, (47, 33)))
    assert isinstance(after, JpegPixels)
    assert after.packed == packed


def test_a_picture_of_palette_indices_becomes_bgr() -> None:
    image = np.random.default_rng(0).integers(0, 256, (8, 8), np.uint8)
    palette = np.random.default_rng(1).integers(0, 256, (256, 4), np.uint8)
    pixels = AvPixels(av.VideoFrame.from_ndarray((image, palette), format="pal8"))
    assert isinstance(through(pixels), BgrPixels)
    assert np.array_equal(through(pixels).bgr(), pixels.bgr())


def test_foxglove_gets_yuv420p_as_nv12() -> None:
    frame = av.VideoFrame.from_ndarray(np.arange(6 * 6, dtype=np.uint8).reshape(6, 6), format="yuv420p")
    image = image_of(AvPixels(frame))
    assert isinstance(image, RawImage)
    assert (image.encoding, image.step) == ("nv12", 6)
    planes = np.frombuffer(image.data, np.uint8)
    assert planes[:24].tolist() == list(range(24))
    assert planes[24:].tolist() == [24, 30, 25, 31, 26, 32, 27, 33, 28, 34, 29, 35]


@pytest.mark.parametrize(("kind", "pixel_format"), [("bgr", ""), ("decoded", "yuv420p")])
def test_too_few_bytes_are_a_corrupt_frame(kind: str, pixel_format: str) -> None:
    message = FrameMessage(
        stream="a",
        seq=0,
        session="s",
        captured_ns=0,
        captured_utc_ns=0,
        shown_ns=0,
        size=(8, 8),
        kind=kind,  # type: ignore[arg-type]
        pixel_format=pixel_format,
    )
    with pytest.raises(CorruptFrameError, match="7 bytes"):
        pixels_of(message, bytes(7))
