"""GStreamer pipelines as sources, run for real where GStreamer is installed: `make rig-gstreamer`."""

from __future__ import annotations

import re
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from edge_engine.clock import NS_PER_MS, monotonic_ns
from edge_engine.errors import CorruptFrameError, SourceError
from edge_engine.pixels import Image, JpegPixels
from edge_engine.sources import make_source
from edge_engine.sources.gstreamer import GStreamerSource
from edge_engine.sources.gstreamer_binding import load_gstreamer, mapped
from edge_engine.sources.gstreamer_pixels import SampleReader
from edge_engine.sources.live import Patience
from edge_engine.sources.source import Grab
from edge_engine.sources.uri import parse_uri
from edge_engine.state import StreamStatus

NAME = "gst:test"


def is_there() -> bool:
    """Asked first, and once: Debian's PyGObject is imported in a manner that Python warns of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImportWarning)
        try:
            load_gstreamer(NAME)
        except SourceError:
            return False
    return True


needs_gstreamer = pytest.mark.skipif(
    not is_there(), reason="needs GStreamer and its Python bindings, which are no Python packages"
)


def source_of(pipeline: str) -> GStreamerSource:
    return GStreamerSource(parse_uri(f"gst:{pipeline}"), pace=True, loop=False)


@contextmanager
def opened(pipeline: str) -> Iterator[GStreamerSource]:
    source = source_of(pipeline)
    try:
        source.open()
        yield source
    finally:
        source.close()


def read(source: GStreamerSource) -> Grab:
    grab = source.read()
    assert grab is not None
    return grab


def complaint(pipeline: str) -> str:
    """The one line with which opening or reading fails."""
    with pytest.raises(SourceError) as caught, opened(pipeline) as source:  # noqa: PT012
        for _ in range(100):
            read(source)
    line = str(caught.value)
    assert "\n" not in line
    return line.removeprefix(f"gst:{pipeline}: ")


def test_without_the_bindings_one_line_tells_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gi", None)
    with pytest.raises(
        SourceError, match=r"gst:videotestsrc: needs .*apt install python3-gi .*site-packages"
    ):
        source_of("videotestsrc").open()


FORMATS = {
    "BGR": "bgr24",
    "RGB": "bgr24",
    "BGRx": "bgr24",
    "BGRA": "bgr24",
    "RGBx": "bgr24",
    "RGBA": "bgr24",
    "GRAY8": "gray",
    "GRAY16_LE": "gray16le",
    "I420": "yuv420p",
    "YV12": "yuv420p",
    "NV12": "yuv420p",
    "NV21": "yuv420p",
    "YUY2": "yuv422p",
    "UYVY": "yuv422p",
    "YVYU": "yuv422p",
    "Y42B": "yuv422p",
    "NV16": "yuv422p",
    "Y444": "yuv444p",
    "I420_10LE": "yuv420p",
    "P010_10LE": "yuv420p",
}
"""What FFmpeg loses of a picture in the same manner, by GStreamer's format."""


@needs_gstreamer
@pytest.mark.parametrize("size", [(322, 242), (321, 241)], ids=["even", "odd"])
@pytest.mark.parametrize("pixel_format", FORMATS)
def test_every_raw_format_shows_the_same_picture(pixel_format: str, size: tuple[int, int]) -> None:
    caps = f"width={size[0]},height={size[1]},framerate=25/1"
    pattern = f"videotestsrc pattern=smpte75 num-buffers=1 ! video/x-raw,format=BGR,{caps}"
    with opened(pattern) as source:
        expected = through_ffmpeg(read(source).pixels.bgr(), FORMATS[pixel_format])
    with opened(f"{pattern} ! videoconvert ! video/x-raw,format={pixel_format}") as source:
        pixels = read(source).pixels
        assert f"{size[0]}x{size[1]} {pixel_format} at 25 fps" in source.description
    assert pixels.size == size
    assert np.abs(pixels.bgr().astype(int) - expected).mean() < 2.5
    small = np.empty((96, 128, 3), np.uint8)
    pixels.resize_into(small, "BGR")
    assert np.abs(small.astype(int) - cv2.resize(expected, (128, 96))).mean() < 8


def through_ffmpeg(bgr: Image, pixel_format: str) -> Image:
    frame = av.VideoFrame.from_ndarray(bgr, "bgr24").reformat(format=pixel_format)
    return np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)


@needs_gstreamer
@pytest.mark.parametrize("colorimetry", ["bt601", "bt709", "1:4:0:0"])
def test_the_colours_of_another_matrix_or_range_are_right(colorimetry: str) -> None:
    pattern = "videotestsrc pattern=smpte75 num-buffers=1 ! video/x-raw,format=BGR,width=320,height=240"
    with opened(pattern) as source:
        expected = read(source).pixels.bgr().astype(int)
    with opened(f"{pattern} ! videoconvert ! video/x-raw,format=I420,colorimetry={colorimetry}") as source:
        seen = read(source).pixels.bgr()
    assert np.abs(seen - expected).mean() < 3


@needs_gstreamer
def test_jpegs_stay_packed() -> None:
    with opened(
        "videotestsrc num-buffers=1 pattern=blue ! video/x-raw,width=320,height=240 ! jpegenc"
    ) as source:
        pixels = read(source).pixels
        assert source.description.endswith(": 320x240 JPEG at 30 fps")
    assert isinstance(pixels, JpegPixels)
    assert np.abs(pixels.bgr().astype(int) - (255, 0, 0)).max() < 24


@needs_gstreamer
def test_lines_and_planes_are_taken_from_where_the_buffer_says_they_are() -> None:
    gst, video, _ = gstreamer = load_gstreamer(NAME)
    data = np.zeros((120 + 60 + 8, 400), np.uint8)
    luma, chroma = data[:120, :320], data[128:, :320]
    luma[:], chroma[:, ::2], chroma[:, 1::2] = 81, 90, 240
    buffer = gst.Buffer.new_wrapped(data.tobytes())
    caps = gst.Caps.from_string("video/x-raw,format=NV12,width=320,height=120,framerate=25/1")
    nv12, no_flags = video.VideoFormat.NV12, video.VideoFrameFlags.NONE
    video.buffer_add_video_meta_full(
        buffer, no_flags, nv12, 320, 120, 2, [0, 128 * 400, 0, 0], [400, 400, 0, 0]
    )
    picture = SampleReader(gstreamer, NAME).read(gst.Sample.new(buffer, caps, None, None)).bgr()
    assert np.abs(picture.astype(int) - (0, 0, 255)).max() < 4


@needs_gstreamer
def test_a_picture_marked_as_damaged_is_a_corrupt_frame() -> None:
    gst, _, _ = gstreamer = load_gstreamer(NAME)
    buffer = gst.Buffer.new_wrapped(bytes(64 * 64 * 3))
    caps = gst.Caps.from_string("video/x-raw,format=BGR,width=64,height=64,framerate=25/1")
    sample = gst.Sample.new(buffer, caps, None, None)
    reader = SampleReader(gstreamer, NAME)
    assert reader.read(sample).size == (64, 64)
    buffer.set_flags(gst.BufferFlags.CORRUPTED)
    with pytest.raises(CorruptFrameError, match="damaged"):
        reader.read(gst.Sample.new(buffer, caps, None, None))


@needs_gstreamer
def test_buffers_are_read_in_place() -> None:
    gst, _, _ = load_gstreamer(NAME)
    buffer = gst.Buffer.new_wrapped(bytes(range(256)) * 40)
    with mapped(buffer) as data:
        assert isinstance(data, memoryview)
        assert data.readonly
        assert bytes(data) == buffer.extract_dup(0, buffer.get_size())


@needs_gstreamer
def test_pictures_let_go_give_their_memory_to_the_next_ones() -> None:
    with opened("videotestsrc is-live=true ! video/x-raw,format=RGB,framerate=100/1") as source:
        assert len({read(source).pixels.bgr().ctypes.data for _ in range(20)}) == 1


@needs_gstreamer
def test_a_new_size_in_mid_stream_is_followed() -> None:
    pattern = "videotestsrc num-buffers=2 ! video/x-raw,format=I420"
    pipeline = f"{pattern},width=320,height=240 ! c. {pattern},width=160,height=120 ! c. concat name=c"
    with opened(pipeline) as source:
        sizes = [read(source).pixels.size for _ in range(4)]
        assert source.read() is None
    assert sizes == [(320, 240)] * 2 + [(160, 120)] * 2


@needs_gstreamer
@pytest.mark.parametrize("live", ["is-live=true", ""])
def test_stamps_are_the_buffers_own_on_the_monotonic_clock(live: str) -> None:
    """Which shows in their steps, whole periods, where arrivals would jitter."""
    before_ns = monotonic_ns()
    with opened(f"videotestsrc num-buffers=8 {live} ! video/x-raw,framerate=50/1") as source:
        stamps = []
        while grab := source.read():
            assert before_ns <= grab.captured_ns <= monotonic_ns()
            stamps.append(grab.captured_ns)
    steps = np.diff(stamps)
    assert len(steps) > 1
    assert (steps > 0).all()
    assert set(steps % (20 * NS_PER_MS)) <= {0, 1, 20 * NS_PER_MS - 1}


@needs_gstreamer
def test_pictures_that_an_element_dropped_are_counted() -> None:
    numbered = "videotestsrc num-buffers=30 is-live=true ! video/x-raw,framerate=50/1"
    with opened(f"{numbered} ! identity drop-probability=0.5") as source:
        stamps = []
        while grab := source.read():
            stamps.append(grab.captured_ns)
    periods = np.rint(np.diff(stamps) / (20 * NS_PER_MS)).astype(int)
    assert source.missed == (periods - 1).sum() > 0


FILLED = "fakesrc sizetype=fixed sizemax=100 filltype=zero"
BGR = "video/x-raw,format=BGR"
ODDLY_STAMPED = {
    "another clock": f"clockselect. ( clock-id=realtime videotestsrc is-live=true ! {BGR} ! appsink )",
    "no stamps": f"{FILLED} ! {BGR},width=5,height=5,framerate=25/1",
    "the future": f"videotestsrc is-live=true timestamp-offset=3600000000000 ! {BGR} ! appsink sync=false",
}


@needs_gstreamer
@pytest.mark.parametrize("pipeline", ODDLY_STAMPED.values(), ids=ODDLY_STAMPED)
def test_stamps_of_another_clock_or_none_still_grow_and_are_never_in_the_future(pipeline: str) -> None:
    last_ns = monotonic_ns() - 1000 * NS_PER_MS
    with opened(pipeline) as source:
        for _ in range(4):
            grab = read(source)
            assert last_ns < grab.captured_ns <= monotonic_ns()
            last_ns = grab.captured_ns


@needs_gstreamer
def test_a_finite_pipeline_ends_and_a_live_one_is_lost() -> None:
    with opened("videotestsrc num-buffers=1") as source:
        read(source)
        assert source.read() is None
    cut = "videotestsrc is-live=true ! video/x-raw,format=I420 ! identity eos-after=3"
    assert complaint(cut) == "lost: its pictures have come to an end"


NVMM = "fakesrc ! video/x-raw(memory:NVMM),format=NV12,width=64,height=64,framerate=25/1"
RGB16 = "video/x-raw,format=RGB16"
COMPLAINTS = {
    "nosuch": 'no element "nosuch"; is its name right? Most are in gstreamer1.0-',
    "videotestsrc ! !": "syntax error",
    "videotestsrc colour=3": 'no property "colour" in element "videotestsrc"',
    "appsink": "an appsink alone is no pipeline",
    "videotestsrc ! appsink videotestsrc ! appsink": "2 appsinks in it; expected one, which is read",
    "filesrc location=/nowhere ! decodebin": 'filesrc0: Resource not found (No such file "/nowhere")',
    "v4l2src device=/dev/video77": "v4l2src0: Cannot identify device '/dev/video77'",
    "videotestsrc ! identity error-after=3": ": Failed after iterations as requested",
    "audiotestsrc": "gives audio/x-raw; expected pictures in ordinary memory, or as JPEG: add a decoder",
    f"videotestsrc ! {RGB16}": "(streaming stopped, reason not-negotiated (-4)); does ! videoconvert",
    f"videotestsrc ! {RGB16} ! appsink": "gives RGB16 pictures, which aren't read; add ! videoconvert",
    "fakesrc ! appsink": "its end gives data without saying of what format",
    NVMM: "gives video/x-raw(memory:NVMM); expected pictures in ordinary memory, or as JPEG: add ! nvvidconv",
    f"{NVMM} ! appsink": "add ! nvvidconv ! video/x-raw,format=NV12",
}


@needs_gstreamer
@pytest.mark.parametrize("pipeline", COMPLAINTS)
def test_a_pipeline_that_can_not_be_read_says_why_in_one_line(pipeline: str) -> None:
    assert COMPLAINTS[pipeline] in complaint(pipeline)


@needs_gstreamer
def test_passwords_are_never_shown() -> None:
    secrets = 'rtspsrc location=rtsp://me:hush@127.0.0.1:1/cam user-pw="hush hush" ! decodebin'
    assert "hush" not in complaint(secrets)
    assert "hush" not in source_of(secrets).description


@needs_gstreamer
@pytest.mark.parametrize("kind", ["video/x-raw,format=BGR", "image/jpeg"])
def test_a_buffer_that_holds_no_picture_is_one_corrupt_frame(kind: str) -> None:
    with opened(f"{FILLED} ! {kind},width=320,height=240,framerate=25/1") as source:
        for _ in range(3):
            with pytest.raises(CorruptFrameError):
                source.read()


def interrupted(source: GStreamerSource, call: Callable[[], Any]) -> list[Any]:
    """What a call gives that waits in another thread and is interrupted; nothing if it waits on."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(call()), daemon=True)
    thread.start()
    source.interrupt()
    thread.join(10)
    return results


@needs_gstreamer
def test_an_interrupt_ends_waiting_for_a_first_picture_that_never_comes() -> None:
    source = source_of("appsrc is-live=true")
    assert interrupted(source, source.open) == [None]
    assert source.read() is None
    source.close()


@needs_gstreamer
def test_an_interrupt_ends_waiting_for_the_next_picture() -> None:
    with opened("videotestsrc is-live=true ! video/x-raw,framerate=1/60") as source:
        assert read(source).pixels.size == (320, 240)
        assert interrupted(source, source.read) == [None]


@needs_gstreamer
def test_opening_and_closing_leaves_nothing_behind() -> None:
    def cycle() -> None:
        with opened("videotestsrc is-live=true ! queue ! jpegenc") as source:
            read(source)
        source.close()
        source_of("videotestsrc").close()
        complaint("filesrc location=/nowhere")

    for _ in range(10):
        cycle()
    before = held()
    for _ in range(50):
        cycle()
    assert held() <= before + 2  # GLib keeps a few idle threads for a while


def held() -> int:
    """How many threads and descriptors this process has."""
    return sum(len(list(Path("/proc/self", kind).iterdir())) for kind in ("task", "fd"))


@needs_gstreamer
def test_a_pipeline_that_fails_is_made_anew(caplog: pytest.LogCaptureFixture) -> None:
    status = StreamStatus("a")
    pipeline = "gst:videotestsrc is-live=true ! video/x-raw,framerate=50/1 ! identity error-after=4"
    source = make_source(pipeline, pace=True, loop=False, patience=Patience(20_000, 20_000), status=status)
    source.open()
    stamps = []
    while status.now.reconnects < 2:
        grab = source.read()
        assert grab is not None
        stamps.append(grab.captured_ns)
    source.interrupt()
    source.close()
    assert stamps == sorted(set(stamps))
    assert re.search(r"videotestsrc .*: 320x240 .* at 50 fps", status.now.description)
    assert "Failed after iterations as requested" in caplog.text
