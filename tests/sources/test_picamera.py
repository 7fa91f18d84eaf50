"""A Raspberry Pi's camera. There is none here: a stand-in for picamera2, made after its source, is read."""

from __future__ import annotations

import sys
import threading
import time
from concurrent.futures import Future
from types import SimpleNamespace, TracebackType
from typing import Any

import numpy as np
import pytest

from edge_engine.clock import NS_PER_MS, monotonic_ns
from edge_engine.errors import ConfigError, SourceError
from edge_engine.pixels import Image
from edge_engine.sources.picamera import PicameraSource, sensor_age_ns
from edge_engine.sources.uri import parse_uri


def source_of(uri: str) -> PicameraSource:
    return PicameraSource(parse_uri(uri), pace=True, loop=False)


class StandIn:
    """Picamera2 with one camera whose pictures are flat, their lines padded to 64 bytes."""

    def __init__(self, number: int) -> None:
        if number > 0:
            raise RuntimeError(f"No camera number {number} found")
        self.camera_properties = {"Model": "imx708"}
        self.pictures = 2
        self.held = 0
        self.calls: list[str] = []

    def create_video_configuration(self, **wished: Any) -> dict[str, Any]:  # noqa: ANN401
        return wished

    def configure(self, wished: dict[str, Any]) -> None:
        width, height = (side - side % 2 for side in wished["main"]["size"])
        self.main = {
            "size": (width, height),
            "stride": -(-width // 64) * 64,
            "format": wished["main"]["format"],
        }

    def camera_configuration(self) -> dict[str, Any]:
        return {"main": self.main}

    def start(self) -> None:
        self.calls.append("start")

    def capture_request(self, wait: bool) -> SimpleNamespace:
        future: Future[Request] = Future()
        if self.pictures:
            self.pictures -= 1
            self.held += 1
            future.set_result(Request(self))
        return SimpleNamespace(get_result=future.result)

    def cancel_all_and_flush(self) -> None:
        self.calls.append("cancel")

    def close(self) -> None:
        self.calls.append("close")


class Request:
    def __init__(self, camera: StandIn) -> None:
        self.camera = camera
        self.stamp_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - NS_PER_MS

    def get_metadata(self) -> dict[str, int]:
        return {"SensorTimestamp": self.stamp_ns}

    def buffer(self) -> Image:
        """I420 of pure red."""
        stride, height = self.camera.main["stride"], self.camera.main["size"][1]
        planes = [(81, height * stride), (90, height // 2 * stride // 2), (240, height // 2 * stride // 2)]
        return np.concatenate([np.full(count, value, np.uint8) for value, count in planes])

    def release(self) -> None:
        self.camera.held -= 1


class MappedArray:
    def __init__(self, request: Request, name: str, reshape: bool) -> None:
        assert (name, reshape) == ("main", False)
        self.array = request.buffer()

    def __enter__(self) -> MappedArray:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


@pytest.fixture
def camera(monkeypatch: pytest.MonkeyPatch) -> list[StandIn]:
    """Puts the stand-in in picamera2's place; the cameras that were opened."""
    made: list[StandIn] = []

    def make(number: int) -> StandIn:
        made.append(StandIn(number))
        return made[-1]

    picamera2 = SimpleNamespace(Picamera2=make, MappedArray=MappedArray)
    libcamera = SimpleNamespace(ColorSpace=SimpleNamespace(Smpte170m=lambda: "Smpte170m"))
    monkeypatch.setitem(sys.modules, "picamera2", picamera2)  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "libcamera", libcamera)  # type: ignore[arg-type]
    return made


def test_without_picamera2_one_line_tells_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "libcamera", None)
    with pytest.raises(SourceError, match=r"picamera:0: needs picamera2 .*apt install python3-picamera2"):
        source_of("picamera:0").open()


@pytest.mark.parametrize("uri", ["picamera:front", "picamera:0?iso=100", "picamera:0?size=big"])
def test_a_camera_that_is_asked_for_wrongly_is_refused(uri: str) -> None:
    with pytest.raises(ConfigError, match=uri.split("?")[0]):
        source_of(uri)


def test_its_pictures_are_copied_and_their_buffers_given_back(camera: list[StandIn]) -> None:
    source = source_of("picamera:0?size=101x50&fps=25")
    assert source.expected_size() == (101, 50)
    source.open()
    assert source.description.endswith(": imx708 100x50 (asked for 101x50) I420 at 25 fps")
    last_ns = 0
    for left in (1, 0):
        grab = source.read()
        assert grab is not None
        assert np.abs(grab.pixels.bgr().astype(int) - (0, 0, 255)).max() < 4
        assert last_ns < grab.captured_ns <= monotonic_ns() - NS_PER_MS
        assert camera[0].held == left  # the next one is waited for already
        last_ns = grab.captured_ns
    source.close()
    source.close()
    assert camera[0].calls == ["start", "cancel", "close"]


def test_an_interrupt_ends_waiting_for_a_picture(camera: list[StandIn]) -> None:
    source = source_of("picamera:0")
    source.open()
    camera[0].pictures = 0
    assert source.read() is not None
    results: list[object] = []
    thread = threading.Thread(target=lambda: results.append(source.read()), daemon=True)
    thread.start()
    source.interrupt()
    thread.join(10)
    assert results == [None]
    source.close()


def test_a_camera_that_is_not_there_is_one_line(camera: list[StandIn]) -> None:
    with pytest.raises(SourceError, match="picamera:1: can't be opened: No camera number 1 found; is it"):
        source_of("picamera:1").open()


@pytest.mark.parametrize("clock", [time.CLOCK_MONOTONIC, time.CLOCK_BOOTTIME])
def test_a_sensors_stamp_may_be_of_either_clock(clock: int) -> None:
    age_ns = sensor_age_ns(time.clock_gettime_ns(clock) - 5 * NS_PER_MS)
    assert age_ns is not None
    assert age_ns >= 5 * NS_PER_MS


def test_a_sensors_stamp_of_no_known_clock_is_not_used() -> None:
    assert sensor_age_ns(0) is None
    assert sensor_age_ns(2**62) is None
