"""V4l2CameraSource: a camera on Linux, with the driver's own stamps, sequence numbers and error flags."""

from __future__ import annotations

import os
import re
import select
import threading
from pathlib import Path

from edge_engine.clock import NS_PER_S, monotonic_ns, utc_ns
from edge_engine.errors import ConfigError, CorruptFrameError, SourceError, one_line
from edge_engine.sources.source import Grab
from edge_engine.sources.uri import Size, SourceUri
from edge_engine.sources.v4l2 import api
from edge_engine.sources.v4l2.device import Device
from edge_engine.sources.v4l2.formats import PictureReader
from edge_engine.sources.v4l2.negotiate import choose_format, choose_rate, follow_signal, set_controls

MAX_STAMP_AGE_NS = 2 * NS_PER_S
"""A driver's stamp older than this is on another clock. It and one from the future are not used: the moment
of the hand-over is the earliest that is known then.
"""

_MOST_UNFILLED = 2
"""Buffers in a row that come back as damaged without a byte in them: a driver whose transfers have failed for
good, as uvcvideo's do at an endpoint that is halted, hands them all back so, and gives nothing more.
"""

_CONTROL = "control."


class V4l2CameraSource:
    """Options `size`, `fps`, `format` (a V4L2 four-letter code) and `control.NAME=VALUE` are asked for;
    `description` says what the camera took.

    Stamps are the driver's where its flags say they are monotonic: from the start of the exposure where it
    says so, else from when the picture had arrived; else from when it was handed over. `missed` counts the
    gaps in the driver's sequence numbers. Pacing and looping mean nothing to a camera.

    One thread opens, reads and closes; `interrupt`, from any other, wakes it by an eventfd under a lock.
    """

    is_live = True

    def __init__(self, uri: SourceUri, *, pace: bool, loop: bool) -> None:
        controls = [name for name in uri.options if name.startswith(_CONTROL) and name != _CONTROL]
        uri.expect_options("size", "fps", "format", *(controls or [f"{_CONTROL}NAME"]))
        self._controls = {name[len(_CONTROL) :]: _whole(uri, name) for name in controls}
        self._path = Path(f"/dev/video{uri.target}" if uri.target.isdecimal() else uri.target)
        self._name = str(self._path) if uri.target.isdecimal() else uri.text
        self._size, self._fps, self._format = uri.size(), uri.rate(), uri.options.get("format")
        self.description = self._name
        self.missed = 0
        self._sequence: int | None = None
        self._unfilled = 0
        self._device: Device | None = None
        self._reader: PictureReader | None = None
        self._interrupted = threading.Event()
        self._lock = threading.Lock()
        self._wake_fd = -1

    def expected_size(self) -> Size | None:
        """What it is asked for; a camera that gives another shows that with its first picture."""
        return self._size

    def open(self) -> None:
        device = Device(self._path, self._name)
        device.open()
        if self._interrupted.is_set():  # after a call that hung: another connection has the camera by now
            device.close()
            raise SourceError(f"{self._name}: given up")
        try:
            follow_signal(device, self._name)
            pix = choose_format(device, self._size, self._format, self._name)
            rate = choose_rate(device, self._fps)
            set_controls(device, self._controls, self._name)
            self._reader = PictureReader(pix)
            device.start()
        except OSError as error:
            device.close()
            raise SourceError(f"{self._name}: can't be started: {one_line(error)}") from error
        except (SourceError, ConfigError):
            device.close()
            raise
        self.description = self._describe(pix, rate)
        self._device, self._sequence, self._unfilled = device, None, 0
        with self._lock:
            self._wake_fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)

    def _describe(self, pix: api.PixFormat, rate: float | None) -> str:
        size = (pix.width, pix.height)
        wished = "" if self._size in (None, size) else f" (asked for {_show(self._size)})"
        timed = "" if rate is None else f" at {rate:.4g} fps"
        is_as_asked = self._fps is None or (rate is not None and abs(rate - self._fps) < 0.01 * self._fps)
        faster = "" if is_as_asked else f" (asked for {self._fps:g})"
        return f"{self._path}: {_show(size)}{wished} {api.fourcc_text(pix.pixelformat)}{timed}{faster}"

    def read(self) -> Grab | None:
        device, reader = self._device, self._reader
        if device is None or reader is None:
            raise SourceError(f"{self._name}: read before it was opened")
        while not self._interrupted.is_set():
            flags = device.wait(self._wake_fd)
            has_failed = flags & (select.POLLERR | select.POLLHUP)
            if flags & select.POLLPRI and not has_failed:
                raise SourceError(f"{self._name}: lost: its pictures' format was changed")
            if not flags:
                continue
            try:
                return self._take(device, reader)
            except BlockingIOError as error:
                if has_failed:
                    raise SourceError(f"{self._name}: lost: the driver reports an error") from error
            except OSError as error:
                raise SourceError(f"{self._name}: lost: {error.strerror}; is it still plugged in?") from error
        return None

    def _take(self, device: Device, reader: PictureReader) -> Grab:
        with device.picture() as (buffer, data):
            is_damaged = bool(buffer.flags & api.BUF_FLAG_ERROR)
            self._note_unfilled(is_damaged and not buffer.bytesused)
            self._count(buffer.sequence)
            captured_ns, captured_utc_ns = _stamp(buffer)
            if is_damaged:
                raise CorruptFrameError("marked as damaged by the driver")
            return Grab(reader.read(data), captured_ns, captured_utc_ns)

    def _note_unfilled(self, is_unfilled: bool) -> None:
        self._unfilled = self._unfilled + 1 if is_unfilled else 0
        if self._unfilled == _MOST_UNFILLED:
            raise SourceError(
                f"{self._name}: lost: the driver has given up, and hands its buffers back empty"
            )

    def _count(self, sequence: int) -> None:
        if self._sequence is not None and sequence > self._sequence:
            self.missed += sequence - self._sequence - 1
        self._sequence = sequence

    def close(self) -> None:
        if self._device is not None:
            self._device.close()
        self._device = self._reader = None
        with self._lock:
            if self._wake_fd >= 0:
                os.close(self._wake_fd)
            self._wake_fd = -1

    def interrupt(self) -> None:
        self._interrupted.set()
        with self._lock:
            if self._wake_fd >= 0:
                os.eventfd_write(self._wake_fd, 1)


def _stamp(buffer: api.Buffer) -> tuple[int, int]:
    now_ns, now_utc_ns = monotonic_ns(), utc_ns()
    stamp_ns = buffer.timestamp.seconds * NS_PER_S + buffer.timestamp.microseconds * 1000
    is_monotonic = buffer.flags & api.BUF_FLAG_TIMESTAMP_MASK == api.BUF_FLAG_TIMESTAMP_MONOTONIC
    if not is_monotonic or not 0 <= now_ns - stamp_ns < MAX_STAMP_AGE_NS:
        return now_ns, now_utc_ns
    return stamp_ns, now_utc_ns - (now_ns - stamp_ns)


def _whole(uri: SourceUri, name: str) -> int:
    text = uri.options[name]
    if not re.fullmatch(r"-?[0-9]{1,10}", text):
        raise ConfigError(f"source {uri.text}: {name} must be a whole number, not {text!r}")
    return int(text)


def _show(size: Size | None) -> str:
    return "x".join(map(str, size or ()))
