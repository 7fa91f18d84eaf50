"""What a USB camera says of itself: its descriptors, and the block by which a stream is negotiated.

By the USB 2.0 specification, chapter 9, and the USB Video Class 1.1 (USB_Video_Class_1.1.pdf: chapter 3 its
descriptors, 4.3.1.1 the negotiation, 2.4.3.3 the payload header; the papers on MJPEG and uncompressed
payloads 3.1 and 3.2). All numbers are little-endian.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

TICKS_PER_S = 10_000_000
"""Frame intervals are counted in 100 ns."""

CLOCK_HZ = 1_000_000
PAYLOAD_BYTES = 16_384
"""With its header: as many as the driver has in one transfer."""

PAYLOAD_HEADER_BYTES = 6

VIDEO_ENDPOINT = 1
TERMINAL, PROCESSING = 1, 2
"""Ids of the units that have controls."""

_YUY2 = bytes.fromhex("5955593200001000800000aa00389b71")
_INTERFACE, _ENDPOINT, _ASSOCIATION, _CLASS = 4, 5, 0x0B, 0x24
_VIDEO, _CONTROL, _STREAMING = 0x0E, 1, 2
_BULK_IN, _BULK, _BULK_PACKET = 0x80 | VIDEO_ENDPOINT, 2, 512
_VENDOR, _PRODUCT = 0x1D6B, 0x0102  # the Linux Foundation's, of its own gadget that is a webcam
_AUTO_EXPOSURE, _EXPOSURE_TIME, _BRIGHTNESS = 1 << 1, 1 << 3, 1 << 0


class Frame(NamedTuple):
    """A size and the rates that it comes at, in frames per second, the first of them by default."""

    size: tuple[int, int]
    rates: tuple[int, ...]

    def intervals(self) -> list[int]:
        return [TICKS_PER_S // rate for rate in self.rates]


class Format(NamedTuple):
    """`code`: MJPG or YUYV."""

    code: str
    frames: tuple[Frame, ...]


class Model(NamedTuple):
    """A camera that could be bought."""

    name: str
    formats: tuple[Format, ...]


def device_descriptor() -> bytes:
    return struct.pack(
        "<BBHBBBBHHHBBBB", 18, 1, 0x0200, 0xEF, 2, 1, 64, _VENDOR, _PRODUCT, 0x0100, 1, 2, 3, 1
    )


def string_descriptor(text: str) -> bytes:
    data = text.encode("utf-16-le")
    return struct.pack("<BB", 2 + len(data), 3) + data


def language_descriptor() -> bytes:
    return struct.pack("<BBH", 4, 3, 0x0409)


def configuration_descriptor(model: Model) -> bytes:
    body = (
        struct.pack("<BBBBBBBB", 8, _ASSOCIATION, 0, 2, _VIDEO, 3, 0, 0)
        + struct.pack("<BBBBBBBBB", 9, _INTERFACE, 0, 0, 0, _VIDEO, _CONTROL, 0, 0)
        + _units()
        + struct.pack("<BBBBBBBBB", 9, _INTERFACE, 1, 0, 1, _VIDEO, _STREAMING, 0, 0)
        + _streams(model.formats)
        + struct.pack("<BBBBHB", 7, _ENDPOINT, _BULK_IN, _BULK, _BULK_PACKET, 0)
    )
    return struct.pack("<BBHBBBBB", 9, 2, 9 + len(body), 2, 1, 0, 0x80, 250) + body


def _units() -> bytes:
    """A sensor, what processes its picture, and the way out over USB."""
    sensor = _AUTO_EXPOSURE | _EXPOSURE_TIME
    units = (
        struct.pack("<BBBBHBBHHHB3s", 18, _CLASS, 2, TERMINAL, 0x0201, 0, 0, 0, 0, 0, 3, _bytes(sensor, 3))
        + struct.pack("<BBBBBHB2sBB", 12, _CLASS, 5, PROCESSING, TERMINAL, 0, 2, _bytes(_BRIGHTNESS, 2), 0, 0)
        + struct.pack("<BBBBHBBB", 9, _CLASS, 3, 3, 0x0101, 0, PROCESSING, 0)
    )
    return struct.pack("<BBBHHIBB", 13, _CLASS, 1, 0x0110, 13 + len(units), CLOCK_HZ, 1, 1) + units


def _streams(formats: tuple[Format, ...]) -> bytes:
    body = b"".join(_format(index, each) for index, each in enumerate(formats, 1))
    length = 13 + len(formats)
    head = struct.pack(
        "<BBBBHBBBBBBB", length, _CLASS, 1, len(formats), length + len(body), _BULK_IN, 0, 3, 0, 0, 0, 1
    )
    return head + bytes(len(formats)) + body


def _format(index: int, each: Format) -> bytes:
    count = len(each.frames)
    if each.code == "MJPG":
        kind, head = 7, struct.pack("<BBBBBBBBBBB", 11, _CLASS, 6, index, count, 1, 1, 0, 0, 0, 0)
    else:
        kind = 5
        head = struct.pack("<BBBBB16sBBBBBB", 27, _CLASS, 4, index, count, _YUY2, 16, 1, 0, 0, 0, 0)
    colours = struct.pack("<BBBBBB", 6, _CLASS, 0x0D, 1, 1, 4)
    return head + b"".join(_frame(kind, at, frame) for at, frame in enumerate(each.frames, 1)) + colours


def _frame(kind: int, index: int, frame: Frame) -> bytes:
    width, height = frame.size
    size, intervals = 2 * width * height, frame.intervals()
    rates = 8 * size * min(frame.rates), 8 * size * max(frame.rates)
    head = struct.pack(
        "<BBBBBHHIIIIB", 26 + 4 * len(intervals), _CLASS, kind, index, 0, width, height, *rates, size,
        intervals[0], len(intervals),
    )  # fmt: skip
    return head + struct.pack(f"<{len(intervals)}I", *intervals)


def _bytes(bits: int, size: int) -> bytes:
    return bits.to_bytes(size, "little")


class Stream(NamedTuple):
    """What host and camera agreed on; the indices are the descriptors', from 1 up."""

    format_index: int = 1
    frame_index: int = 1
    interval: int = 0

    def within(self, model: Model) -> Stream:
        """The nearest that the camera has."""
        formats = model.formats
        at = min(max(self.format_index, 1), len(formats))
        frames = formats[at - 1].frames
        frame = min(max(self.frame_index, 1), len(frames))
        intervals = frames[frame - 1].intervals()
        wanted = self.interval or intervals[0]
        return Stream(at, frame, min(intervals, key=lambda each: abs(each - wanted)))

    def of(self, model: Model) -> tuple[str, Frame]:
        chosen = model.formats[self.format_index - 1]
        return chosen.code, chosen.frames[self.frame_index - 1]


_PROBE = struct.Struct("<HBBI5HIIIBBBB")


def parse_probe(data: bytes) -> Stream:
    _, format_index, frame_index, interval = struct.unpack_from("<HBBI", data)
    return Stream(format_index, frame_index, interval)


def probe(stream: Stream, model: Model) -> bytes:
    width, height = stream.of(model)[1].size
    return _PROBE.pack(
        1, *stream, 0, 0, 0, 0, 0, 2 * width * height, PAYLOAD_BYTES, CLOCK_HZ, 3, 1, 1, 1
    )  # fmt: skip


def payload_header(is_odd: bool, is_last: bool, is_error: bool, taken: int) -> bytes:
    """`is_odd` changes from picture to picture; `taken`: the moment of it, in ticks of CLOCK_HZ."""
    bits = 0x80 | 0x04 | is_odd | is_last << 1 | is_error << 6
    return struct.pack("<BBI", PAYLOAD_HEADER_BYTES, bits, taken & 0xFFFFFFFF)
