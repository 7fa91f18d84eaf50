from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from edge_engine.errors import ConfigError, CorruptFrameError, SourceError
from edge_engine.pixels import Image, JpegPixels
from edge_engine.sources.camera import CameraSource
from edge_engine.sources.uri import parse_uri
from tests.sources.made import difference

if sys.platform != "linux":
    pytest.skip("V4L2 is Linux's", allow_module_level=True)

from edge_engine.sources.v4l2 import api
from edge_engine.sources.v4l2.formats import PictureReader

SIZE = (64, 48)


def camera(uri: str) -> CameraSource:
    return CameraSource(parse_uri(uri), pace=True, loop=False)


@pytest.mark.parametrize("uri", ["/dev/video987", "987"])
def test_a_missing_camera_is_one_line_that_says_what_is_there(uri: str) -> None:
    with pytest.raises(SourceError, match=r"/dev/video987: no such camera; there is .*/dev/video") as caught:
        camera(uri).open()
    assert "\n" not in str(caught.value)


def test_what_is_no_camera_leaves_nothing_open(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no camera")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for path in (tmp_path / "notes.txt", tmp_path, Path("/dev/null")):
        source = camera(f"camera:{path}")
        with pytest.raises(SourceError, match="is no camera"):
            source.open()
        with pytest.raises(SourceError, match="read before it was opened"):
            source.read()
        source.close()
        source.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open everything")
def test_no_permission_names_the_group(tmp_path: Path) -> None:
    (tmp_path / "camera").touch(mode=0)
    with pytest.raises(SourceError, match="no permission to use it; add yourself to its group"):
        camera(f"camera:{tmp_path / 'camera'}").open()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ("colour=1", "option 'colour' is unknown; known: size, fps, format, control.NAME"),
        ("control.brightness=much", "control.brightness must be a whole number, not 'much'"),
        ("size=big", "a size is WIDTHxHEIGHT"),
    ],
)
def test_a_wrong_option_is_named(options: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        camera(f"camera:0?{options}")


STRUCTURES = {
    "v4l2_capability": api.Capability,
    "v4l2_fmtdesc": api.FormatDescription,
    "v4l2_format": api.Format,
    "v4l2_frmsizeenum": api.FrameSize,
    "v4l2_frmivalenum": api.FrameInterval,
    "v4l2_streamparm": api.StreamParameters,
    "v4l2_requestbuffers": api.RequestBuffers,
    "v4l2_buffer": api.Buffer,
    "v4l2_queryctrl": api.QueryControl,
    "v4l2_control": api.Control,
    "v4l2_event_subscription": api.EventSubscription,
}
REQUESTS = (
    "QUERYCAP ENUM_FMT G_FMT S_FMT REQBUFS QUERYBUF QBUF DQBUF STREAMON STREAMOFF G_PARM S_PARM G_CTRL "
    "S_CTRL QUERYCTRL ENUM_FRAMESIZES ENUM_FRAMEINTERVALS SUBSCRIBE_EVENT"
)


def test_requests_and_structures_are_the_headers(tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    if compiler is None or not Path("/usr/include/linux/videodev2.h").exists():
        pytest.skip("needs a C compiler and linux/videodev2.h")
    lines = [f'printf("%zu\\n", sizeof(struct {name}));' for name in STRUCTURES]
    lines += [f'printf("%lu\\n", (unsigned long)VIDIOC_{name});' for name in REQUESTS.split()]
    lines += ['printf("%zu\\n", offsetof(struct v4l2_buffer, sequence));']
    lines += ['printf("%zu\\n", offsetof(struct v4l2_format, fmt));']
    source = tmp_path / "sizes.c"
    source.write_text(
        "#include <stdio.h>\n#include <stddef.h>\n#include <linux/videodev2.h>\n"
        f"int main(void) {{ {' '.join(lines)} return 0; }}"
    )
    subprocess.run([compiler, source, "-o", tmp_path / "sizes"], check=True)
    told = subprocess.run([tmp_path / "sizes"], capture_output=True, text=True, check=True).stdout.split()
    ours = [len(bytes(structure())) for structure in STRUCTURES.values()]
    ours += [getattr(api, name) for name in REQUESTS.split()]
    ours += [api.Buffer.sequence.offset, api.Format.fmt.offset]
    assert [int(number) for number in told] == ours


def gradient() -> Image:
    x, y = np.meshgrid(np.arange(SIZE[0]), np.arange(SIZE[1]))
    return np.stack([x * 3, y * 4, (x + y) * 2], -1).astype(np.uint8)


def reader(name: str) -> PictureReader:
    return PictureReader(api.PixFormat(width=SIZE[0], height=SIZE[1], pixelformat=api.fourcc(name)))


FFMPEG = {
    "YUYV": "yuyv422",
    "UYVY": "uyvy422",
    "YVYU": "yvyu422",
    "NV12": "nv12",
    "NV21": "nv21",
    "YU12": "yuv420p",
    "RGB3": "rgb24",
    "BGR3": "bgr24",
}


@pytest.mark.parametrize("name", FFMPEG)
def test_each_format_is_the_picture_that_was_packed(name: str) -> None:
    frame = av.VideoFrame.from_ndarray(gradient(), "bgr24").reformat(format=FFMPEG[name])
    data = b"".join(
        np.frombuffer(plane, np.uint8).reshape(plane.height, -1)[:, : _row_bytes(name, index)].tobytes()
        for index, plane in enumerate(frame.planes)
    )
    pixels = reader(name).read(memoryview(data))
    assert pixels.size == SIZE
    assert difference(pixels.bgr(), gradient()) < 4
    with pytest.raises(CorruptFrameError, match="where its format needs"):
        reader(name).read(memoryview(data[:-1]))


def _row_bytes(name: str, plane: int) -> int:
    if name == "YU12" and plane:
        return SIZE[0] // 2
    return SIZE[0] * {"Y": 2, "U": 2, "N": 1, "R": 3, "B": 3}[name[0]] // (2 if name == "YU12" else 1)


def jpeg() -> bytes:
    return cv2.imencode(".jpg", gradient())[1].tobytes()


def without_tables(data: bytes) -> bytes:
    """As many cameras send it: without the Huffman tables, which are the standard's."""
    kept, at = data[:2], 2
    while data[at + 1] != 0xDA:
        length = 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        kept += b"" if data[at + 1] == 0xC4 else data[at : at + length]
        at += length
    return kept + data[at:]


def test_a_jpeg_stays_packed_and_may_be_padded_or_lack_its_huffman_tables() -> None:
    assert len(without_tables(jpeg())) < len(jpeg()) - 300
    for data in (jpeg(), jpeg() + bytes(500), without_tables(jpeg())):
        pixels = reader("MJPG").read(memoryview(data))
        assert isinstance(pixels, JpegPixels)
        assert difference(pixels.bgr(), gradient()) < 6


@pytest.mark.parametrize("data", [b"", bytes(100), jpeg()[:-200]])
def test_a_cut_or_empty_jpeg_is_one_corrupt_frame(data: bytes) -> None:
    with pytest.raises(CorruptFrameError):
        reader("MJPG").read(memoryview(data))
