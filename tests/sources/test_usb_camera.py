"""Against the kernel's own driver of USB cameras and a camera of ours at a virtual port of the machine that
`make rig-v4l2` has.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import pytest

from edge_engine.clock import monotonic_ns
from edge_engine.errors import ConfigError, CorruptFrameError, SourceError
from edge_engine.pixels import AvPixels, JpegPixels
from edge_engine.sources.camera import CameraSource
from edge_engine.sources.live import Patience
from edge_engine.sources.source import Source
from edge_engine.sources.uri import parse_uri
from edge_engine.sources.v4l2.listing import ControlInfo, SizeInfo, list_cameras
from edge_engine.state import StreamState, StreamStatus
from tests.rigs.peer import PATIENCE_S, Peer, open_descriptors, wait_until
from tests.rigs.usb_host import keep_damaged, needs_usb, node, replug
from tests.sources.live import Reading, opened, pictures

pytestmark = needs_usb

PATIENCE = Patience(60_000)


@pytest.fixture(scope="module")
def camera_process() -> Iterator[Peer]:
    with Peer("usb_webcam") as camera:
        yield camera


@pytest.fixture
def camera(camera_process: Peer) -> Peer:
    replug(camera_process)
    return camera_process


def live(options: str = "format=MJPG&size=640x480&fps=15") -> tuple[Source, StreamStatus]:
    return opened(f"camera:{node()}?{options}", PATIENCE)


def read_on(source: CameraSource) -> None:
    """Until it fails; with nothing at all, not for ever."""
    guard = threading.Timer(PATIENCE_S, source.interrupt)
    guard.start()
    try:
        while True:
            with suppress(CorruptFrameError):
                assert source.read() is not None
    finally:
        guard.cancel()


@pytest.fixture
def reading(camera: Peer) -> Iterator[tuple[Reading, StreamStatus]]:
    source, status = live()
    reading = Reading(source)
    assert reading.comes(10)
    yield reading, status
    reading.end()


@pytest.mark.usefixtures("camera")
def test_it_is_listed_with_what_it_can_do() -> None:
    (listed,) = (each for each in list_cameras() if each.driver == "uvcvideo")
    assert listed.device == node()
    assert listed.name == "edge_engine test camera"
    assert listed.formats == {
        "MJPG": [SizeInfo("640x480", [30, 15, 5]), SizeInfo("320x240", [30]), SizeInfo("1280x720", [15, 5])],
        "YUYV": [SizeInfo("320x240", [15, 5]), SizeInfo("640x480", [5])],
    }
    assert ControlInfo("brightness", -64, 64, 1, 0) in listed.controls


def test_a_large_picture_is_asked_for_packed_and_stays_so(camera: Peer) -> None:
    source, status = live("size=1280x720&fps=5")
    assert camera.ask("asked").startswith("MJPG 1280x720 5 ")
    assert status.now.description == f"{node()}: 1280x720 MJPG at 5 fps"
    (grab,) = pictures(source, 1)
    source.close()
    assert isinstance(grab.pixels, JpegPixels)
    assert grab.pixels.size == (1280, 720)
    small = np.zeros((90, 160, 3), np.uint8)
    grab.pixels.resize_into(small, "BGR")
    assert np.abs(grab.pixels.bgr()[4::8, 4::8].mean((0, 1)) - small.mean((0, 1))).max() < 2


def test_raw_pictures_where_asked_for_show_the_same(camera: Peer) -> None:
    means = []
    for options, kind in (
        ("format=YUYV&size=320x240&fps=5", AvPixels),
        ("format=MJPG&size=640x480", JpegPixels),
    ):
        source, _ = live(options)
        (grab,) = pictures(source, 1)
        source.close()
        assert isinstance(grab.pixels, kind)
        means.append(grab.pixels.bgr().mean((0, 1)))
    assert np.abs(means[0] - means[1]).max() < 3


@pytest.mark.usefixtures("camera")
def test_what_it_has_not_is_told_with_what_it_took() -> None:
    source, status = live("format=MJPG&size=1920x1080&fps=60")
    source.close()
    assert status.now.description.endswith(": 1280x720 (asked for 1920x1080) MJPG at 15 fps (asked for 60)")


def test_controls_reach_the_camera(camera: Peer) -> None:
    source, _ = live("control.brightness=-20&control.auto_exposure=1&control.exposure_time_absolute=250")
    source.close()
    assert camera.ask("asked").split()[-3:] == ["1", "250", "-20"]


@pytest.mark.usefixtures("camera")
def test_controls_that_it_refuses_are_an_error_at_once() -> None:
    with pytest.raises(ConfigError, match="brightness=99 is out of range, -64 to 64"):
        live("control.brightness=99")
    with pytest.raises(ConfigError, match="auto_exposure=2 was refused"):
        live("control.auto_exposure=2")  # the camera has 1 and 3
    with pytest.raises(SourceError, match="exposure_time_absolute=9 was refused") as caught:
        live("control.exposure_time_absolute=9")  # its exposure is automatic
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("camera")
def test_stamps_are_the_drivers_and_increase() -> None:
    source, _ = live()
    stamps = [grab.captured_ns for grab in pictures(source, 20)]
    source.close()
    assert stamps == sorted(set(stamps))
    assert all(stamp % 1000 == 0 for stamp in stamps)
    assert stamps[-1] < monotonic_ns()


def test_unplugged_it_is_flagged_and_comes_back(camera: Peer, reading: tuple[Reading, StreamStatus]) -> None:
    read, status = reading
    camera.say("unplug")
    assert wait_until(lambda: status.now.state is StreamState.RECONNECTING)
    assert "\n" not in status.now.reason
    camera.say("plug")
    assert read.comes(5)
    assert status.now.state is StreamState.RUNNING


def test_another_camera_in_its_place_is_followed(camera: Peer, reading: tuple[Reading, StreamStatus]) -> None:
    read, status = reading
    camera.say("plug other")
    assert wait_until(lambda: "800x600 (asked for 640x480)" in status.now.description), status.now
    assert read.comes(5)
    assert status.now.state is StreamState.RUNNING


@pytest.mark.parametrize("fault", ["trunc", "garbage"])
def test_a_few_damaged_pictures_are_counted_and_the_connection_stays(
    camera: Peer, reading: tuple[Reading, StreamStatus], fault: str
) -> None:
    read, status = reading
    camera.say(fault)
    assert wait_until(lambda: read.corrupt >= 3)
    camera.say("whole")
    assert read.comes(3)
    assert status.now.reconnects == 0


def test_a_lost_packet_is_told_when_the_picture_is_decoded(camera: Peer) -> None:
    source, status = live()
    pictures(source, 1)
    camera.say("hole")
    small = np.zeros((240, 320, 3), np.uint8)

    def is_damaged() -> bool:
        try:
            pictures(source, 1)[0].pixels.resize_into(small, "BGR")
        except CorruptFrameError:
            return True
        return False

    assert wait_until(is_damaged)
    assert status.now.reconnects == 0
    source.close()


def test_pictures_that_the_camera_marks_as_damaged_are_missed_where_the_driver_keeps_them(
    camera: Peer,
) -> None:
    source, status = live()
    reading = Reading(source)
    assert reading.comes(3)
    missed = source.missed
    camera.say("err")
    camera.say("rate 5")
    assert wait_until(lambda: status.now.state is not StreamState.RUNNING)
    camera.say("whole")
    assert reading.comes(3)
    assert source.missed > missed
    reading.end()


def test_pictures_that_the_camera_marks_as_damaged_are_counted_where_the_driver_gives_them(
    camera: Peer,
) -> None:
    keep_damaged(True)
    try:
        replug(camera)
        source, status = live()
        reading = Reading(source)
        assert reading.comes(3)
        camera.say("err")
        assert wait_until(lambda: reading.corrupt >= 3)
        camera.say("whole")
        assert reading.comes(3)
        assert status.now.reconnects == 0
        reading.end()
    finally:
        keep_damaged(False)


@pytest.mark.parametrize("fault", ["freeze", "hang"])
def test_a_camera_that_gives_nothing_more_is_flagged_and_comes_back(
    camera: Peer, reading: tuple[Reading, StreamStatus], fault: str
) -> None:
    read, status = reading
    camera.say(fault)
    assert wait_until(lambda: status.now.state is StreamState.RECONNECTING)
    camera.say("resume")
    assert read.comes(5)


def test_a_halted_endpoint_is_a_loss_at_once_and_the_next_connection_cures_it(camera: Peer) -> None:
    for _ in range(2):
        source = CameraSource(parse_uri(f"camera:{node()}?format=MJPG"), pace=True, loop=False)
        source.open()
        assert source.read() is not None
        camera.say("stall")
        with pytest.raises(SourceError, match="the driver has given up"):
            read_on(source)
        source.close()


def test_a_live_source_gets_over_a_halted_endpoint(
    camera: Peer, reading: tuple[Reading, StreamStatus]
) -> None:
    read, status = reading
    camera.say("stall")
    assert wait_until(lambda: status.now.reconnects > 0)
    assert read.comes(5)
    assert status.now.reconnects == 1


def test_another_rate_than_negotiated_is_no_failure(
    camera: Peer, reading: tuple[Reading, StreamStatus]
) -> None:
    read, status = reading
    for rate in ("2", "8", "0"):
        camera.say(f"rate {rate}")
        assert read.comes(10)
    assert status.now.reconnects == 0


def test_unplugged_ten_times_it_leaves_nothing_open(
    camera: Peer, reading: tuple[Reading, StreamStatus]
) -> None:
    read, status = reading
    before = open_descriptors(), threading.active_count()
    for times in range(1, 11):
        camera.say("unplug")
        assert wait_until(lambda times=times: status.now.reconnects >= times)  # type: ignore[misc]
        camera.say("plug")
        assert read.comes(2)
    assert wait_until(lambda: (open_descriptors(), threading.active_count()) <= before)
