from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_engine.errors import CorruptFrameError, SourceError
from edge_engine.pixels import BgrPixels, JpegPixels
from edge_engine.sources.jpeg import jpeg_size
from tests.sources.made import difference, opened, read_all, shades

RNG = np.random.default_rng(1)
NOISE = cv2.resize(RNG.integers(0, 255, (12, 16, 3), np.uint8), (128, 96), interpolation=cv2.INTER_CUBIC)


def write(path: Path, image: np.ndarray, *options: int) -> Path:
    assert cv2.imwrite(str(path), image, list(options))
    return path


def with_exif_orientation(jpeg: bytes, orientation: int) -> bytes:
    """`jpeg` with an EXIF block, as a phone held upright writes it."""
    tiff = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0" + bytes([orientation]) + b"\0\0\0\0\0\0"
    block = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block + jpeg[2:]


def test_pictures_come_in_natural_order_and_others_are_left_out(tmp_path: Path) -> None:
    for shade, name in [(30, "f2.png"), (200, "f10.PNG"), (10, "f1.bmp"), (220, "g.webp")]:
        write(tmp_path / name, np.full((20, 30, 3), shade, np.uint8))
    (tmp_path / "notes.txt").write_text("not a picture")
    (tmp_path / "folder.png").mkdir()
    assert shades(read_all(opened(tmp_path))) == pytest.approx([10, 30, 200, 220], abs=2)


def test_jpegs_stay_packed_and_know_their_size(tmp_path: Path) -> None:
    write(tmp_path / "a.jpg", NOISE, cv2.IMWRITE_JPEG_QUALITY, 95)
    write(tmp_path / "b.jpeg", NOISE, cv2.IMWRITE_JPEG_PROGRESSIVE, 1, cv2.IMWRITE_JPEG_RST_INTERVAL, 2)
    write(tmp_path / "c.jpg", NOISE[:, :, 0])
    (tmp_path / "d.png").write_bytes((tmp_path / "a.jpg").read_bytes())  # what it is, not what it's called
    grabs = read_all(opened(tmp_path))
    assert len(grabs) == 4
    for grab in grabs:
        assert isinstance(grab.pixels, JpegPixels)
        assert grab.pixels.size == (128, 96)
        assert grab.pixels.bgr().shape == (96, 128, 3)
    assert difference(grabs[0].pixels.bgr(), NOISE) < 8


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_orientation_never_makes_size_and_pixels_disagree(tmp_path: Path, orientation: int) -> None:
    jpeg = cv2.imencode(".jpg", NOISE)[1].tobytes()
    (tmp_path / "a.jpg").write_bytes(with_exif_orientation(jpeg, orientation))
    pixels = read_all(opened(tmp_path))[0].pixels
    target = np.empty((16, 32, 3), np.uint8)
    pixels.resize_into(target, "BGR")
    assert pixels.size == (128, 96)
    assert difference(pixels.bgr(), np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), 1))) == 0


@pytest.mark.parametrize(
    ("name", "image", "expected"),
    [
        ("grey.png", NOISE[:, :, 0], np.repeat(NOISE[:, :, :1], 3, axis=2)),
        ("deep.png", NOISE.astype(np.uint16) * 257, NOISE),
        ("deep.tiff", NOISE.astype(np.uint16) * 257, NOISE),
        ("alpha.png", np.dstack([NOISE, np.full((96, 128), 9, np.uint8)]), NOISE),
        ("plain.ppm", NOISE, NOISE),
    ],
)
def test_every_depth_and_channel_count_becomes_8_bit_bgr(
    tmp_path: Path, name: str, image: np.ndarray, expected: np.ndarray
) -> None:
    write(tmp_path / name, image)
    pixels = read_all(opened(tmp_path))[0].pixels
    assert isinstance(pixels, BgrPixels)
    assert difference(pixels.bgr(), expected) <= 1


def test_a_broken_picture_is_named_and_the_next_ones_follow(tmp_path: Path) -> None:
    jpeg = cv2.imencode(".jpg", NOISE)[1].tobytes()
    broken = {
        "1.jpg": b"",
        "2.jpg": b"\xff\xd8\xff",
        "3.jpg": jpeg[: len(jpeg) // 2],
        "4.jpg": jpeg[:-2],
        "5.png": b"\x89PNG\r\n\x1a\n....",
        "6.bmp": b"no picture",
    }
    for name, data in broken.items():
        (tmp_path / name).write_bytes(data)
    write(tmp_path / "7.png", NOISE)
    source = opened(tmp_path)
    for name in broken:
        with pytest.raises(CorruptFrameError, match=name):
            source.read()
    assert len(read_all(source)) == 1


def test_a_looped_folder_of_broken_pictures_ends(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"nothing")
    source = opened(tmp_path, loop=True)
    for _ in range(99):
        with pytest.raises(CorruptFrameError):
            source.read()
    with pytest.raises(SourceError, match="100 errors in a row"):
        source.read()


@pytest.mark.parametrize("cut", [0, 2, 3, 10, 100, 180])
def test_a_cut_jpeg_header_is_corrupt(cut: int) -> None:
    jpeg = cv2.imencode(".jpg", NOISE)[1].tobytes()
    with pytest.raises(CorruptFrameError):
        jpeg_size(jpeg[:cut])


def test_an_empty_folder_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no pictures in it; expected files ending in"):
        opened(tmp_path)


def test_a_folder_loops_and_paces_by_its_option(tmp_path: Path) -> None:
    for number in range(3):
        write(tmp_path / f"{number}.png", np.full((20, 30, 3), 50 * number, np.uint8))
    grabs = read_all(opened(f"file:{tmp_path}?fps=100", pace=True, loop=True), 7)
    assert shades(grabs) == [0, 50, 100, 0, 50, 100, 0]
    assert grabs[-1].captured_ns - grabs[0].captured_ns >= 55_000_000
