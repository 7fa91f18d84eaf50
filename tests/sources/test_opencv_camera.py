from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_engine.errors import CorruptFrameError, SourceError
from edge_engine.pixels import Image, JpegPixels
from edge_engine.sources.opencv_camera import OpenCvCameraSource
from edge_engine.sources.uri import parse_uri
from tests.clip import FRAMES, SIZE, clip_path
from tests.sources.made import difference


def opened(uri: str) -> OpenCvCameraSource:
    source = OpenCvCameraSource(parse_uri(uri), pace=True, loop=False)
    source.open()
    return source


def test_what_is_no_camera_leaves_nothing_open(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("no camera")
    source = OpenCvCameraSource(parse_uri(f"camera:{text}"), pace=True, loop=False)
    with pytest.raises(SourceError, match="can't be opened as a camera; another program may hold it"):
        source.open()
    with pytest.raises(SourceError, match="read before it was opened"):
        source.read()
    source.close()


def test_pictures_are_whole_and_in_order_and_the_end_is_a_loss() -> None:
    truth = cv2.VideoCapture(str(clip_path()))
    source = opened(f"camera:{clip_path()}")
    stamps = []
    for _ in range(FRAMES):
        grab = source.read()
        assert grab is not None
        assert grab.pixels.size == SIZE
        assert np.array_equal(grab.pixels.bgr(), truth.read()[1])
        stamps.append(grab.captured_ns)
    assert stamps == sorted(stamps)
    with pytest.raises(SourceError, match="lost: it gives no pictures any more"):
        source.read()
    source.close()
    source.close()


def test_buffers_are_used_again_but_not_while_held() -> None:
    source = opened(f"camera:{clip_path()}")
    places = set()
    for _ in range(20):
        grab = source.read()
        assert grab is not None
        places.add(grab.pixels.bgr().ctypes.data)
    assert len(places) <= 2
    held = source.read()
    assert held is not None
    before = held.pixels.bgr().copy()
    for _ in range(20):
        source.read()
    assert difference(held.pixels.bgr(), before) == 0


@pytest.fixture
def unconverted(monkeypatch: pytest.MonkeyPatch) -> None:
    """V4L2 hands over a camera's own JPEGs when it is told not to convert; here FFmpeg does, from a file."""
    real, as_it_is = cv2.VideoCapture, [cv2.CAP_PROP_FORMAT, -1]
    monkeypatch.setattr(cv2, "VideoCapture", lambda path, _: real(path, cv2.CAP_FFMPEG, as_it_is))


def mjpeg_film(path: Path, pictures: list[Image]) -> Path:
    height, width = pictures[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (width, height))
    for picture in pictures:
        writer.write(picture)
    writer.release()
    return path


@pytest.mark.usefixtures("unconverted")
def test_a_cameras_jpegs_stay_packed_until_they_are_needed(tmp_path: Path) -> None:
    pictures = [np.full((720, 1280, 3), shade, np.uint8) for shade in (40, 120, 200)]
    source = opened(f"camera:{mjpeg_film(tmp_path / 'camera.avi', pictures)}")
    for picture in pictures:
        grab = source.read()
        assert grab is not None
        assert isinstance(grab.pixels, JpegPixels)
        assert grab.pixels.size == (1280, 720)
        small = np.empty((360, 640, 3), np.uint8)
        grab.pixels.resize_into(small, "BGR")
        assert difference(small, picture[::2, ::2]) < 2


@pytest.mark.usefixtures("unconverted")
def test_a_jpeg_cut_short_by_the_camera_is_one_corrupt_frame(tmp_path: Path) -> None:
    film = mjpeg_film(
        tmp_path / "camera.avi", [np.full((480, 640, 3), shade, np.uint8) for shade in (40, 90, 140)]
    )
    data = film.read_bytes()
    second_ends = data.find(b"\xff\xd9", data.find(b"\xff\xd9") + 2)
    film.write_bytes(data[:second_ends] + b"\0\0" + data[second_ends + 2 :])
    source = opened(f"camera:{film}")
    assert source.read() is not None
    with pytest.raises(CorruptFrameError, match="cut short"):
        source.read()
    assert source.read() is not None


def test_the_description_says_what_the_camera_took() -> None:
    source = opened(f"camera:{clip_path()}?size=320x240&fps=5")
    assert "640x272 (asked for 320x240) h264 at 25 fps (asked for 5)" in source.description


def test_an_interrupted_camera_has_no_more_pictures() -> None:
    source = opened(f"camera:{clip_path()}")
    source.interrupt()
    assert source.read() is None


def test_opencv_says_nothing_itself() -> None:
    program = (
        "from edge_engine.sources.opencv_camera import OpenCvCameraSource\n"
        "from edge_engine.sources.uri import parse_uri\n"
        "source = OpenCvCameraSource(parse_uri('camera:/dev/null'), pace=True, loop=False)\n"
        "try: source.open()\n"
        "except Exception as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert done.stdout.startswith("camera:/dev/null: can't be opened as a camera")
