"""V4L2's structures, ioctl numbers and flags, as in linux/videodev2.h; only those that are used.

Names are the header's without their V4L2_ and VIDIOC_, so that its documentation can be searched for them.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, Structure, Union, c_char, c_int32, c_long, c_uint8, c_uint32, c_ulong

CAP_VIDEO_CAPTURE, CAP_VIDEO_CAPTURE_MPLANE = 0x1, 0x1000
CAP_STREAMING, CAP_DEVICE_CAPS = 0x04000000, 0x80000000
BUF_TYPE_VIDEO_CAPTURE, MEMORY_MMAP, FIELD_NONE = 1, 1, 1
BUF_FLAG_ERROR = 0x40
BUF_FLAG_TIMESTAMP_MASK, BUF_FLAG_TIMESTAMP_MONOTONIC = 0xE000, 0x2000
BUF_FLAG_TSTAMP_SRC_MASK, BUF_FLAG_TSTAMP_SRC_SOE = 0x70000, 0x10000
FRMSIZE_TYPE_DISCRETE = FRMIVAL_TYPE_DISCRETE = 1
CAP_TIMEPERFRAME = 0x1000
CTRL_FLAG_DISABLED, CTRL_FLAG_READ_ONLY, CTRL_FLAG_NEXT_CTRL = 0x1, 0x4, 0x80000000
CTRL_TYPE_INTEGER, CTRL_TYPE_BOOLEAN, CTRL_TYPE_MENU, CTRL_TYPE_BUTTON = 1, 2, 3, 4
CTRL_TYPE_BITMASK, CTRL_TYPE_INTEGER_MENU = 8, 9
EVENT_SOURCE_CHANGE = 5


class Capability(Structure):
    _fields_ = [
        ("driver", c_char * 16),
        ("card", c_char * 32),
        ("bus_info", c_char * 32),
        ("version", c_uint32),
        ("capabilities", c_uint32),
        ("device_caps", c_uint32),
        ("reserved", c_uint32 * 3),
    ]


class FormatDescription(Structure):
    _fields_ = [
        ("index", c_uint32),
        ("type", c_uint32),
        ("flags", c_uint32),
        ("description", c_char * 32),
        ("pixelformat", c_uint32),
        ("mbus_code", c_uint32),
        ("reserved", c_uint32 * 3),
    ]


class PixFormat(Structure):
    _fields_ = [
        ("width", c_uint32),
        ("height", c_uint32),
        ("pixelformat", c_uint32),
        ("field", c_uint32),
        ("bytesperline", c_uint32),
        ("sizeimage", c_uint32),
        ("colorspace", c_uint32),
        ("priv", c_uint32),
        ("flags", c_uint32),
        ("ycbcr_enc", c_uint32),
        ("quantization", c_uint32),
        ("xfer_func", c_uint32),
    ]


class _FormatUnion(Union):
    # The kernel's union holds pointers too: it is aligned as they are.
    _fields_ = [("pix", PixFormat), ("raw", c_uint8 * 200), ("aligned", c_ulong)]


class Format(Structure):
    _fields_ = [("type", c_uint32), ("fmt", _FormatUnion)]


class Fraction(Structure):
    _fields_ = [("numerator", c_uint32), ("denominator", c_uint32)]


class FrameSize(Structure):
    """`sides`: width and height where discrete, else least, most and step of both."""

    _fields_ = [
        ("index", c_uint32),
        ("pixel_format", c_uint32),
        ("type", c_uint32),
        ("sides", c_uint32 * 6),
        ("reserved", c_uint32 * 2),
    ]


class FrameInterval(Structure):
    """`intervals`: one where discrete, else least, most and step; in seconds."""

    _fields_ = [
        ("index", c_uint32),
        ("pixel_format", c_uint32),
        ("width", c_uint32),
        ("height", c_uint32),
        ("type", c_uint32),
        ("intervals", Fraction * 3),
        ("reserved", c_uint32 * 2),
    ]


class StreamParameters(Structure):
    """The capture half of the kernel's union."""

    _fields_ = [
        ("type", c_uint32),
        ("capability", c_uint32),
        ("capturemode", c_uint32),
        ("timeperframe", Fraction),
        ("rest", c_uint8 * 184),
    ]


class RequestBuffers(Structure):
    _fields_ = [
        ("count", c_uint32),
        ("type", c_uint32),
        ("memory", c_uint32),
        ("capabilities", c_uint32),
        ("flags", c_uint8),
        ("reserved", c_uint8 * 3),
    ]


class _TimeValue(Structure):
    _fields_ = [("seconds", c_long), ("microseconds", c_long)]


class _BufferPlace(Union):
    _fields_ = [("offset", c_uint32), ("userptr", c_ulong), ("planes", POINTER(c_uint8)), ("fd", c_int32)]


class Buffer(Structure):
    _fields_ = [
        ("index", c_uint32),
        ("type", c_uint32),
        ("bytesused", c_uint32),
        ("flags", c_uint32),
        ("field", c_uint32),
        ("timestamp", _TimeValue),
        ("timecode", c_uint32 * 4),
        ("sequence", c_uint32),
        ("memory", c_uint32),
        ("m", _BufferPlace),
        ("length", c_uint32),
        ("reserved2", c_uint32),
        ("request_fd", c_int32),
    ]


class QueryControl(Structure):
    _fields_ = [
        ("id", c_uint32),
        ("type", c_uint32),
        ("name", c_char * 32),
        ("minimum", c_int32),
        ("maximum", c_int32),
        ("step", c_int32),
        ("default_value", c_int32),
        ("flags", c_uint32),
        ("reserved", c_uint32 * 2),
    ]


class Control(Structure):
    _fields_ = [("id", c_uint32), ("value", c_int32)]


class EventSubscription(Structure):
    """`id`: for a change of the source, the input's number."""

    _fields_ = [("type", c_uint32), ("id", c_uint32), ("flags", c_uint32), ("reserved", c_uint32 * 5)]


class DvTimings(Structure):
    """What an HDMI source sends. It is only handed back to the driver: its inside is of no interest."""

    _fields_ = [("type", c_uint32), ("timings", c_uint32 * 32)]


_READ, _WRITE = 2, 1


def _number(direction: int, number: int, structure: type[ctypes._SimpleCData[int] | Structure]) -> int:
    """As <asm-generic/ioctl.h> puts it together; the machines with another order have no cameras here."""
    return direction << 30 | ctypes.sizeof(structure) << 16 | ord("V") << 8 | number


QUERYCAP = _number(_READ, 0, Capability)
ENUM_FMT = _number(_READ | _WRITE, 2, FormatDescription)
G_FMT = _number(_READ | _WRITE, 4, Format)
S_FMT = _number(_READ | _WRITE, 5, Format)
REQBUFS = _number(_READ | _WRITE, 8, RequestBuffers)
QUERYBUF = _number(_READ | _WRITE, 9, Buffer)
QBUF = _number(_READ | _WRITE, 15, Buffer)
DQBUF = _number(_READ | _WRITE, 17, Buffer)
STREAMON = _number(_WRITE, 18, c_int32)
STREAMOFF = _number(_WRITE, 19, c_int32)
G_PARM = _number(_READ | _WRITE, 21, StreamParameters)
S_PARM = _number(_READ | _WRITE, 22, StreamParameters)
G_CTRL = _number(_READ | _WRITE, 27, Control)
S_CTRL = _number(_READ | _WRITE, 28, Control)
G_INPUT = _number(_READ, 38, c_int32)
QUERYCTRL = _number(_READ | _WRITE, 36, QueryControl)
ENUM_FRAMESIZES = _number(_READ | _WRITE, 74, FrameSize)
ENUM_FRAMEINTERVALS = _number(_READ | _WRITE, 75, FrameInterval)
S_DV_TIMINGS = _number(_READ | _WRITE, 87, DvTimings)
SUBSCRIBE_EVENT = _number(_WRITE, 90, EventSubscription)
QUERY_DV_TIMINGS = _number(_READ, 99, DvTimings)


def fourcc(text: str) -> int:
    return int.from_bytes(text.encode("ascii").ljust(4)[:4], "little")


def fourcc_text(code: int) -> str:
    """As v4l2-ctl writes it."""
    text = (code & 0x7FFFFFFF).to_bytes(4, "little").decode("ascii", "replace").strip("\0 ")
    return f"{text}-BE" if code & 0x80000000 else text
