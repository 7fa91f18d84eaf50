"""Against the kernel's own test camera, vivid, which `make rig-v4l2` has in an emulated machine."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edge_engine.clock import monotonic_ns
from edge_engine.errors import ConfigError, SourceError
from edge_engine.pixels import Image
from edge_engine.sources import make_source
from edge_engine.sources.camera import CameraSource
from edge_engine.sources.uri import parse_uri
from tests.rigs.vivid import configure, needs_vivid, plug, unplug

DEADLINE_S = 30.0

pytestmark = needs_vivid


def opened(uri: str) -> CameraSource:
    source = CameraSource(parse_uri(uri), pace=True, loop=False)
    source.open()
    return source


def set_control(text: str) -> None:
    configure("-c", text)


def open_again() -> CameraSource:
    until = time.monotonic() + DEADLINE_S
    while True:
        try:
            return opened("0")
        except SourceError:
            assert time.monotonic() < until


def read_on(source: CameraSource) -> None:
    while source.read() is not None:
        pass


def lost(source: CameraSource) -> str:
    with pytest.raises(SourceError, match="lost") as caught:
        read_on(source)
    source.close()
    return str(caught.value)


@pytest.fixture
def camera() -> Iterator[CameraSource]:
    source = opened("0")
    yield source
    source.close()


def stamps_of(source: CameraSource) -> list[int]:
    """In steps of a microsecond where they are the driver's: the kernel gives no finer ones."""
    stamps = []
    for _ in range(10):
        grab = source.read()
        assert grab is not None
        assert grab.captured_ns < monotonic_ns()
        stamps.append(grab.captured_ns)
    assert stamps == sorted(set(stamps))
    return stamps


def test_stamps_are_the_drivers_and_increase(camera: CameraSource) -> None:
    set_control("timestamp_source=1")  # the start of the exposure
    try:
        assert all(stamp % 1000 == 0 for stamp in stamps_of(camera)[5:])
    finally:
        set_control("timestamp_source=0")


def test_a_drivers_stamp_from_the_future_is_never_believed(camera: CameraSource) -> None:
    # vivid stamps the end of a frame nine tenths of a period ahead, and hands it over at its start.
    assert any(stamp % 1000 for stamp in stamps_of(camera))


def bars(pixel_format: str) -> Image:
    source = opened(f"camera:0?size=640x360&format={pixel_format}")
    grab = source.read()
    source.close()
    assert grab is not None
    return grab.pixels.bgr()[300, 40::80]


@pytest.mark.parametrize("pixel_format", ["YUYV", "UYVY", "YVYU", "NV12", "NV21", "YU12", "YV12", "RGB3"])
def test_every_format_shows_the_same_colours(pixel_format: str) -> None:
    assert np.abs(bars(pixel_format).astype(int) - bars("BGR3")).max() <= 5


def test_dropped_pictures_are_counted_and_the_stream_goes_on(camera: CameraSource) -> None:
    set_control("percentage_of_dropped_buffers=50")
    try:
        assert all(camera.read() for _ in range(20))
    finally:
        set_control("percentage_of_dropped_buffers=0")
    assert camera.missed > 0


def test_a_streaming_error_is_a_loss_and_the_next_connection_works() -> None:
    source = opened("0")
    set_control("inject_fatal_streaming_error=1")
    assert "\n" not in lost(source)
    source = open_again()
    assert source.read() is not None
    source.close()


def test_unplugged_twenty_times_it_leaves_nothing_open() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        source = open_again()
        assert source.read() is not None
        unplug()
        lost(source)
        plug()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_live_source_comes_back_by_itself() -> None:
    open_again().close()
    source = make_source("0", pace=True, loop=False)
    source.open()
    assert source.read() is not None
    unplug()
    plug()
    assert all(source.read() for _ in range(10))
    source.close()


def test_an_interrupt_ends_a_waiting_read(camera: CameraSource) -> None:
    threading.Timer(0.3, camera.interrupt).start()
    while camera.read() is not None:
        pass


def test_controls_are_checked_against_the_camera() -> None:
    with pytest.raises(ConfigError, match="the nearest is brightness, 0 to 255"):
        opened("camera:0?control.brightnes=3")
    with pytest.raises(ConfigError, match="brightness=999 is out of range, 0 to 255"):
        opened("camera:0?control.brightness=999")
