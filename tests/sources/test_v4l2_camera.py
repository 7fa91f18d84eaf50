"""Against the kernel's own test camera, vivid, which `make rig-v4l2` has in an emulated machine."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edge_engine.clock import monotonic_ns
from edge_engine.errors import ConfigError, CorruptFrameError, SourceError
from edge_engine.pixels import Image
from edge_engine.sources import make_source
from edge_engine.sources.camera import CameraSource
from edge_engine.sources.live import Patience
from edge_engine.sources.source import Source
from edge_engine.sources.uri import parse_uri
from edge_engine.state import StreamState
from tests.rigs.peer import Peer, open_descriptors, wait_until
from tests.rigs.vivid import configure, needs_vivid, plug, unplug
from tests.sources.live import Reading
from tests.sources.live import opened as live

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


def test_who_keeps_the_error_of_a_damaged_picture_does_not_keep_the_camera() -> None:
    before, source = open_descriptors(), opened("0")
    set_control("inject_v4l2_buf_flag_error=1")
    with pytest.raises(CorruptFrameError) as damage:
        read_on(source)
    source.close()
    assert open_descriptors() == before
    again = opened("0")  # the error's traceback still knows the buffer
    assert again.read() is not None
    again.close()
    assert "damaged" in str(damage.value)


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
    with pytest.raises(ConfigError, match=r"menu=2 was refused: .*, 1 to 4"):
        opened("camera:0?control.menu=2")  # its items are 1, 3 and 4
    with pytest.raises(ConfigError, match=r"it has brightness, contrast, saturation, .* more$") as caught:
        opened("camera:0?control.focus=1")
    assert "\n" not in str(caught.value)
    with pytest.raises(
        ConfigError, match="no control 'focus'"
    ):  # no connection mends it: it isn't tried again
        live("camera:0?control.focus=1", Patience(reconnect="always"))


@pytest.fixture
def hdmi() -> Iterator[None]:
    """The camera's other input, and what is plugged into it: first, 640x480."""
    configure("-i", "3")
    configure("--set-dv-bt-timings", "index=0")
    yield
    configure("-c", "dv_timings_signal_mode=0")
    configure("-i", "0")


def send(timings: int) -> None:
    set_control(f"dv_timings_signal_mode=4,dv_timings={timings}")


def sizes_until(source: Source, size: tuple[int, int]) -> set[tuple[int, int]]:
    seen: set[tuple[int, int]] = set()
    until = time.monotonic() + DEADLINE_S
    while size not in seen:
        assert time.monotonic() < until, seen
        grab = source.read()
        assert grab is not None
        assert grab.pixels.bgr().shape[1::-1] == grab.pixels.size
        seen.add(grab.pixels.size)
    return seen


@pytest.mark.usefixtures("hdmi")
def test_another_size_in_mid_stream_is_told_apart_from_a_failure_and_followed() -> None:
    source = opened("0")
    assert source.read() is not None
    send(2)
    assert "format was changed" in lost(source)
    live_source, status = live("0", Patience(30_000))
    for timings, size in ((0, (640, 480)), (2, (720, 480)), (0, (640, 480))):
        send(timings)
        assert sizes_until(live_source, size) <= {(640, 480), (720, 480)}
    assert status.now.reconnects == 3
    live_source.close()


@pytest.mark.usefixtures("hdmi")
def test_an_input_without_a_signal_is_told_and_waited_for() -> None:
    source, status = live("0", Patience(30_000, reconnect="always"))
    assert source.read() is not None
    reading = Reading(source)
    set_control("dv_timings_signal_mode=1")
    assert wait_until(lambda: "no steady signal" in status.now.reason)
    set_control("dv_timings_signal_mode=0")
    assert reading.comes(3)
    reading.end()


def test_a_driver_that_hangs_is_left_behind_and_comes_back_with_nothing_lost() -> None:
    source, status = live("0", Patience(30_000))
    reading = Reading(source)
    assert reading.comes(10)
    before = open_descriptors(), threading.active_count()
    with Peer("stuck_driver"):
        assert wait_until(lambda: status.now.state is StreamState.RECONNECTING)
        count = reading.count
    assert wait_until(lambda: reading.count > count)
    assert wait_until(lambda: (open_descriptors(), threading.active_count()) <= before)
    reading.end()
