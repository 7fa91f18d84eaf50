from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_engine.errors import SourceError
from edge_engine.sources import make_source
from edge_engine.sources.camera import CameraSource
from tests.clip import FRAMES, SIZE, clip_path
from tests.sources.made import difference, opened

NO_CAMERA = "/dev/video987"


def test_a_missing_camera_is_one_line_that_lists_those_there() -> None:
    with pytest.raises(SourceError, match=rf"{NO_CAMERA}: no such camera; there is .*/dev/video") as caught:
        opened(NO_CAMERA)
    assert "\n" not in str(caught.value)
    with pytest.raises(SourceError, match=f"{NO_CAMERA}: no such camera"):
        opened("987")


def test_what_is_no_camera_leaves_nothing_open(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("no camera")
    source = make_source(f"camera:{text}", pace=True, loop=False)
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


def test_the_description_says_what_the_camera_took() -> None:
    source = opened(f"camera:{clip_path()}?size=320x240&fps=5")
    assert isinstance(source, CameraSource)
    assert "640x272 (asked for 320x240) h264 at 25 fps (asked for 5)" in source.description


def test_an_interrupted_camera_has_no_more_pictures() -> None:
    source = opened(f"camera:{clip_path()}")
    source.interrupt()
    assert source.read() is None


def test_opencv_says_nothing_itself() -> None:
    program = (
        "from edge_engine.sources import make_source\n"
        "source = make_source('camera:/dev/null', pace=True, loop=False)\n"
        "try: source.open()\n"
        "except Exception as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert done.stdout.startswith("camera:/dev/null: can't be opened as a camera")
