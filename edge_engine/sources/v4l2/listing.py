"""Listing: which cameras this machine has, and what each of them can do."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import msgspec

from edge_engine.errors import SourceError, one_line
from edge_engine.sources.v4l2 import api
from edge_engine.sources.v4l2.device import Device, capabilities_of
from edge_engine.sources.v4l2.negotiate import controls_of, formats_of

_MOST_SIZES = 64


class SizeInfo(msgspec.Struct, frozen=True):
    """`size` is WIDTHxHEIGHT, or LEAST..MOST where any between is taken; `fps` highest first."""

    size: str
    fps: list[float]


class ControlInfo(msgspec.Struct, frozen=True):
    name: str
    minimum: int
    maximum: int
    step: int
    default: int


class CameraInfo(msgspec.Struct, frozen=True):
    """`problem` says why it can't be used; the rest is empty then. `by_id` stays the same when replugged."""

    device: str
    name: str = ""
    driver: str = ""
    bus: str = ""
    by_id: str = ""
    formats: dict[str, list[SizeInfo]] = {}
    controls: list[ControlInfo] = []
    problem: str = ""


def list_cameras() -> list[CameraInfo]:
    """In the order of their numbers; nodes for metadata or output are left out."""
    nodes = sorted(Path("/dev").glob("video*"), key=_number)
    return [camera for camera in map(_look_at, nodes) if camera is not None]


def _number(path: Path) -> int:
    digits = re.search(r"[0-9]+$", path.name)
    return int(digits[0]) if digits else -1


def _look_at(path: Path) -> CameraInfo | None:
    device = Device(path, str(path))
    try:
        capability = device.connect()
        if not capabilities_of(capability) & (api.CAP_VIDEO_CAPTURE | api.CAP_VIDEO_CAPTURE_MPLANE):
            return None
        return _described(device, path, capability)
    except (OSError, SourceError) as error:
        return CameraInfo(str(path), problem=one_line(error).removeprefix(f"{path}: "))
    finally:
        device.close()


def _described(device: Device, path: Path, capability: api.Capability) -> CameraInfo:
    controls = [
        ControlInfo(name, control.minimum, control.maximum, control.step, control.default_value)
        for name, control in controls_of(device)
    ]
    name, driver, bus = (
        text.decode("utf-8", "replace") for text in (capability.card, capability.driver, capability.bus_info)
    )
    formats = {each: _sizes(device, each) for each in formats_of(device)}
    return CameraInfo(str(path), name, driver, bus, _by_id(path), formats, controls)


def _by_id(path: Path) -> str:
    links = sorted(Path("/dev/v4l/by-id").glob("*"))
    return next((str(link) for link in links if link.resolve() == path), "")


def _sizes(device: Device, name: str) -> list[SizeInfo]:
    sizes = []
    with suppress(OSError):  # EINVAL behind the last
        for index in range(_MOST_SIZES):
            found = api.FrameSize(index=index, pixel_format=api.fourcc(name))
            device.ask(api.ENUM_FRAMESIZES, found)
            sides = list(found.sides)
            if found.type != api.FRMSIZE_TYPE_DISCRETE:
                return [SizeInfo(f"{sides[0]}x{sides[3]}..{sides[1]}x{sides[4]}", [])]
            sizes.append(SizeInfo(f"{sides[0]}x{sides[1]}", _rates(device, name, sides[0], sides[1])))
    return sizes


def _rates(device: Device, name: str, width: int, height: int) -> list[float]:
    rates: set[float] = set()
    with suppress(OSError):
        for index in range(_MOST_SIZES):
            found = api.FrameInterval(index=index, pixel_format=api.fourcc(name), width=width, height=height)
            device.ask(api.ENUM_FRAMEINTERVALS, found)
            is_one = found.type == api.FRMIVAL_TYPE_DISCRETE
            for interval in list(found.intervals)[: 1 if is_one else 2]:
                if interval.numerator:
                    rates.add(round(interval.denominator / interval.numerator, 2))
            if not is_one:
                break
    return sorted(rates, reverse=True)
