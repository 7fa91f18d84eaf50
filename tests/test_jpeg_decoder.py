"""JPEGs as OpenCV decodes them, but damage is told."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from edge_engine.errors import CorruptFrameError
from edge_engine.jpeg_decoder import REDUCTIONS, decode_jpeg, reduced_size
from edge_engine.pictures import FOLDER
from edge_engine.pixels import Image
from tests.rigs.webcam_pictures import segments, without_tables

SIZE = (641, 361)
IMAGE = np.asarray(cv2.resize(cv2.imread(str(FOLDER / "coffee.jpg")), SIZE), np.uint8)
FLAGS = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}


def encoded(*parameters: int, image: Image = IMAGE) -> bytes:
    return cv2.imencode(".jpg", image, parameters)[1].tobytes()


def decoded(data: bytes, reduction: int = 1) -> Image:
    width, height = reduced_size(SIZE, reduction)
    target = np.zeros((height, width, 3), np.uint8)
    decode_jpeg(data, target)
    return target


WHOLE = {
    "4:2:0": encoded(),
    "4:2:2": encoded(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422),
    "4:4:4": encoded(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
    "grey": encoded(image=np.asarray(IMAGE[:, :, 1])),
    "progressive": encoded(cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "restart markers": encoded(cv2.IMWRITE_JPEG_RST_INTERVAL, 8),
    "a webcam's, without Huffman tables": without_tables(encoded()),
    "with bytes behind its end": encoded() + bytes(100),
}


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("kind", WHOLE)
def test_whole_pictures_are_as_opencv_decodes_them(kind: str, reduction: int) -> None:
    known = cv2.imdecode(np.frombuffer(WHOLE[kind], np.uint8), FLAGS[reduction])
    assert np.array_equal(decoded(WHOLE[kind], reduction), known)


def without(data: bytes, at: int) -> bytes:
    """As after a USB packet that got lost."""
    return data[:at] + data[at + 512 :]


def overwritten(data: bytes, at: int) -> bytes:
    return data[:at] + np.random.default_rng(at).bytes(512) + data[at + 512 :]


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("damage", [without, overwritten])
def test_damage_anywhere_is_told(damage: Callable[[bytes, int], bytes], reduction: int) -> None:
    data = encoded()
    first = len(data) - len(segments(data)[-1]) + 16
    for at in np.linspace(first, len(data) - 516, 40).astype(int):
        harmed = damage(data, int(at))
        assert cv2.imdecode(np.frombuffer(harmed, np.uint8), cv2.IMREAD_COLOR) is not None
        with pytest.raises(CorruptFrameError, match="can't be decoded: "):
            decoded(harmed, reduction)


def with_more_before(marker: int, count: int) -> bytes:
    data = encoded(cv2.IMWRITE_JPEG_RST_INTERVAL, 8)
    at = data.index(bytes([0xFF, marker]), len(data) - len(segments(data)[-1]))
    return data[:at] + bytes(count) + data[at:]


@pytest.mark.parametrize("marker", [0xD0, 0xD7, 0xD9])
def test_a_few_bytes_too_many_before_a_marker_as_webcams_have_them_do_no_harm(marker: int) -> None:
    whole = decoded(encoded())
    for count in (1, 4, 16):
        assert np.array_equal(decoded(with_more_before(marker, count)), whole)
    with pytest.raises(CorruptFrameError, match="extraneous"):
        decoded(with_more_before(marker, 100))


def test_what_is_no_jpeg_is_told_in_one_line() -> None:
    for data in (b"", b"\xff\xd8", b"\xff\xd8" + bytes(1000), encoded()[:300]):
        with pytest.raises(CorruptFrameError, match="can't be decoded") as caught:
            decoded(data)
        assert "\n" not in str(caught.value)
