"""What is behind the plug of a USB camera: it answers the host's requests, and streams.

By the USB Video Class 1.1, chapter 4 (its requests) and annex A (their codes).
"""

from __future__ import annotations

import struct
import time
from collections import deque

from tests.rigs.usbip import Plug, Request, Unlink
from tests.rigs.uvc import (
    CLOCK_HZ,
    PAYLOAD_BYTES,
    PAYLOAD_HEADER_BYTES,
    PROCESSING,
    TERMINAL,
    TICKS_PER_S,
    VIDEO_ENDPOINT,
    Model,
    Stream,
    configuration_descriptor,
    device_descriptor,
    language_descriptor,
    parse_probe,
    payload_header,
    probe,
    string_descriptor,
)
from tests.rigs.webcam_pictures import COUNT, harmed, pictures

_SERIAL = "0001"
_STEP = PAYLOAD_BYTES - PAYLOAD_HEADER_BYTES
_PROBE_BYTES = 34

_GET_DESCRIPTOR, _GET_STATUS, _CLEAR_FEATURE, _SET_CONFIGURATION, _SET_INTERFACE = 6, 0, 1, 9, 11
_DEVICE, _CONFIGURATION, _STRING = 1, 2, 3
_SET_CUR, _GET_CUR, _GET_MIN, _GET_MAX, _GET_RES, _GET_LENGTH, _GET_INFO, _GET_DEFAULT = 1, *range(0x81, 0x88)
_COMMIT, _ERROR_CODE = 2, 2
_WRONG_STATE, _OUT_OF_RANGE, _NO_SUCH_CONTROL = 2, 4, 6
_MANUAL, _APERTURE_PRIORITY = 1, 8  # the step of such a control is the set of what it has


class Setting:
    """A control: UVC 1.1, chapter 4.2.2."""

    def __init__(self, size: int, least: int, most: int, step: int, value: int) -> None:
        self.size, self._least, self._most, self._step, self._default = size, least, most, step, value
        self.value = value

    def ask(self, what: int) -> bytes:
        if what == _GET_INFO:
            return b"\x03"
        if what == _GET_LENGTH:
            return self.size.to_bytes(2, "little")
        value = {
            _GET_CUR: self.value, _GET_MIN: self._least, _GET_MAX: self._most, _GET_RES: self._step,
            _GET_DEFAULT: self._default,
        }[what]  # fmt: skip
        return value.to_bytes(self.size, "little", signed=value < 0)

    def set(self, data: bytes) -> bool:
        value = int.from_bytes(data, "little", signed=self._least < 0)
        if not self._least <= value <= self._most:
            return False
        self.value = value
        return True


class Camera:
    """What is behind the plug: it answers, and has a picture whenever one is due. One thread runs it."""

    fps = 0.0
    fault = "whole"
    is_frozen = False
    is_hanging = False
    is_halted = False

    def __init__(self, model: Model, plug: Plug) -> None:
        self._model = model
        self.plug = plug
        self._waiting: deque[Request] = deque()
        self._payloads: deque[bytes] = deque()
        self._is_streaming = False
        self._due_s = 0.0
        self._taken = 0
        self._stream = self._wished = Stream().within(model)
        self._error_code = 0
        self.auto_exposure = Setting(1, 0, 0xFF, _MANUAL | _APERTURE_PRIORITY, _APERTURE_PRIORITY)
        self.exposure_time = Setting(4, 1, 10_000, 1, 100)
        self.brightness = Setting(2, -64, 64, 1, 0)
        self._settings = {
            (TERMINAL, 2): self.auto_exposure,
            (TERMINAL, 4): self.exposure_time,
            (PROCESSING, 2): self.brightness,
        }

    def asked(self) -> str:
        code, frame = self._stream.of(self._model)
        width, height = frame.size
        settings = f"{self.auto_exposure.value} {self.exposure_time.value} {self.brightness.value}"
        return f"{code} {width}x{height} {TICKS_PER_S / self._stream.interval:.4g} {settings}"

    def obey_host(self) -> None:
        request = self.plug.receive()
        if isinstance(request, Unlink):
            self._unlink(request)
        elif request.endpoint == VIDEO_ENDPOINT:
            self._waiting.append(request)
        elif not self.is_hanging:
            self._control(request)

    def _unlink(self, unlink: Unlink) -> None:
        kept = [each for each in self._waiting if each.number != unlink.request_number]
        self.plug.unlinked(unlink, in_time=len(kept) < len(self._waiting))
        self._waiting = deque(kept)

    def _control(self, request: Request) -> None:
        kind, what, value, index = struct.unpack_from("<BBHH", request.setup)
        is_class = kind & 0x60 == 0x20
        answer = self._of_class(request, what, value, index) if is_class else self._standard(what, value)
        if answer is None:
            self.plug.refuse(request)
        else:
            self.plug.answer(request, answer[: request.length])

    def _standard(self, what: int, value: int) -> bytes | None:
        if what == _GET_DESCRIPTOR:
            return self._descriptor(value >> 8, value & 0xFF)
        if what == _GET_STATUS:
            return bytes(2)
        if what == _CLEAR_FEATURE:  # the driver sends it at the end of each stream
            self._is_streaming = self.is_halted = False
        return b"" if what in (_CLEAR_FEATURE, _SET_CONFIGURATION, _SET_INTERFACE) else None

    def _descriptor(self, kind: int, index: int) -> bytes | None:
        texts = {1: "edge_engine", 2: self._model.name, 3: _SERIAL}
        if kind == _DEVICE:
            return device_descriptor()
        if kind == _CONFIGURATION:
            return configuration_descriptor(self._model)
        if kind != _STRING or (index and index not in texts):
            return None
        return string_descriptor(texts[index]) if index else language_descriptor()

    def _of_class(self, request: Request, what: int, value: int, index: int) -> bytes | None:
        unit, selector = index >> 8, value >> 8
        if index & 0xFF == 1:
            return self._negotiate(request, what, selector)
        if unit == 0:
            return bytes([self._error_code]) if selector == _ERROR_CODE else None
        setting = self._settings.get((unit, selector))
        if setting is None:
            self._error_code = _NO_SUCH_CONTROL
            return None
        if what != _SET_CUR:
            return setting.ask(what)
        self._error_code = self._set(setting, request.data)
        return None if self._error_code else b""

    def _set(self, setting: Setting, data: bytes) -> int:
        if setting is self.exposure_time and self.auto_exposure.value != _MANUAL:
            return _WRONG_STATE
        return 0 if setting.set(data) else _OUT_OF_RANGE

    def _negotiate(self, request: Request, what: int, selector: int) -> bytes | None:
        if what == _GET_INFO:
            return b"\x03"
        if what == _GET_LENGTH:
            return _PROBE_BYTES.to_bytes(2, "little")
        if what != _SET_CUR:
            return probe(Stream().within(self._model) if what == _GET_DEFAULT else self._wished, self._model)
        self._wished = parse_probe(request.data).within(self._model)
        if selector == _COMMIT:
            self._stream, self._is_streaming = self._wished, True
            self._payloads.clear()
            self._due_s = time.monotonic()
        return b""

    def wait_s(self) -> float | None:
        """Until the next picture is due; None while there is to be none."""
        if not self._is_streaming or self.is_frozen or self.is_hanging:
            return None
        return max(0.0, self._due_s - time.monotonic())

    def stream(self) -> None:
        """What is due and there, as far as the host waits for it."""
        if self.wait_s() == 0:
            self._expose()
        while self._waiting and self.is_halted:
            self.plug.refuse(self._waiting.popleft())
        is_sending = not (self.is_frozen or self.is_hanging)
        while is_sending and self._waiting and self._payloads:
            self.plug.answer(self._waiting.popleft(), self._payloads.popleft())

    def _expose(self) -> None:
        period_s = 1 / self.fps if self.fps else self._stream.interval / TICKS_PER_S
        now_s = time.monotonic()
        self._due_s = max(self._due_s + period_s, now_s)
        if self._payloads:  # the one before is not out yet: this one is lost
            return
        self._taken += 1
        code, frame = self._stream.of(self._model)
        data = harmed(pictures(code, frame.size)[self._taken % COUNT], self.fault)
        for at in range(0, len(data), _STEP):
            is_last, is_odd = at + _STEP >= len(data), self._taken % 2 == 1
            header = payload_header(is_odd, is_last, self.fault == "err", int(now_s * CLOCK_HZ))
            self._payloads.append(header + data[at : at + _STEP])
