"""Negotiation: what is asked of a camera, and what it took."""

from __future__ import annotations

import difflib
import errno
import re
from collections.abc import Iterator
from contextlib import suppress

from edge_engine.errors import ConfigError, SourceError
from edge_engine.sources.v4l2 import api
from edge_engine.sources.v4l2.device import BUSY, Device
from edge_engine.sources.v4l2.formats import READABLE

_RAW_PIXELS_AT_MOST = 640 * 480
"""USB 2 carries larger pictures at full rate only when packed, so those are asked for as MJPEG."""

_MOST_NAMED = 40

_SETTABLE = (
    api.CTRL_TYPE_INTEGER,
    api.CTRL_TYPE_BOOLEAN,
    api.CTRL_TYPE_MENU,
    api.CTRL_TYPE_BUTTON,
    api.CTRL_TYPE_BITMASK,
    api.CTRL_TYPE_INTEGER_MENU,
)


def formats_of(device: Device) -> list[str]:
    names = []
    with suppress(OSError):  # EINVAL behind the last
        for index in range(256):
            found = api.FormatDescription(index=index, type=api.BUF_TYPE_VIDEO_CAPTURE)
            device.ask(api.ENUM_FMT, found)
            names.append(api.fourcc_text(found.pixelformat))
    return names


def follow_signal(device: Device, name: str) -> None:
    """An HDMI input has the size and rate of what is sent to it, and takes a change of them only when told.
    Raises SourceError while nothing usable comes; other cameras have no such input.
    """
    timings = api.DvTimings()
    try:
        device.ask(api.QUERY_DV_TIMINGS, timings)
        device.ask(api.S_DV_TIMINGS, timings)
    except OSError as error:
        if error.errno in (errno.ENOTTY, errno.ENODATA, errno.EINVAL):
            return
        if error.errno == errno.EBUSY:
            raise SourceError(f"{name}: {BUSY}") from error
        if error.errno not in (errno.ENOLINK, errno.ENOLCK, errno.ERANGE):
            raise
        what = "sends what it can't take" if error.errno == errno.ERANGE else "sends no steady signal"
        raise SourceError(
            f"{name}: what is plugged into its input {what}; is it on, its cable firm?"
        ) from error


def choose_format(
    device: Device, size: tuple[int, int] | None, wanted: str | None, name: str
) -> api.PixFormat:
    """The nearest that the camera takes. Raises SourceError for what it has not or we can't read."""
    current = api.Format(type=api.BUF_TYPE_VIDEO_CAPTURE)
    device.ask(api.G_FMT, current)
    pix: api.PixFormat = current.fmt.pix
    offered = formats_of(device)
    if size is not None:
        pix.width, pix.height = size
    code = _best(offered, wanted, api.fourcc_text(pix.pixelformat), pix.width * pix.height)
    if code not in READABLE or (wanted and code not in offered):
        asked = f"has no {wanted}" if wanted else "gives no format that is read here"
        readable = [each for each in offered if each in READABLE]
        shown = (
            f"it offers {', '.join(readable)}" if readable else f"its formats are {', '.join(offered[:8])}"
        )
        raise SourceError(f"{name}: {asked}; {shown}")
    pix.pixelformat, pix.field = api.fourcc(code), api.FIELD_NONE
    pix.bytesperline = pix.sizeimage = 0
    try:
        device.ask(api.S_FMT, current)
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        raise SourceError(f"{name}: {BUSY}") from error
    if (took := api.fourcc_text(pix.pixelformat)) not in READABLE:
        raise SourceError(f"{name}: took {took} instead of {code}, which isn't read; ask for another format=")
    return pix


def _best(offered: list[str], wanted: str | None, current: str, pixels: int) -> str:
    if wanted:
        return wanted
    if pixels > _RAW_PIXELS_AT_MOST and "MJPG" in offered:
        return "MJPG"
    return current if current in READABLE else next((each for each in READABLE if each in offered), current)


def choose_rate(device: Device, fps: float | None) -> float | None:
    """In pictures per second; None where the driver tells none."""
    parameters = api.StreamParameters(type=api.BUF_TYPE_VIDEO_CAPTURE)
    try:
        device.ask(api.G_PARM, parameters)
        if fps is not None and parameters.capability & api.CAP_TIMEPERFRAME:
            parameters.timeperframe = api.Fraction(1000, round(fps * 1000))
            device.ask(api.S_PARM, parameters)
    except OSError as error:
        if error.errno not in (errno.ENOTTY, errno.EINVAL):
            raise
        return None
    interval = parameters.timeperframe
    return interval.denominator / interval.numerator if interval.numerator else None


def controls_of(device: Device) -> Iterator[tuple[str, api.QueryControl]]:
    """Those that can be set, by v4l2-ctl's spelling of their names."""
    last = 0
    while True:
        control = api.QueryControl(id=last | api.CTRL_FLAG_NEXT_CTRL)
        try:
            device.ask(api.QUERYCTRL, control)
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOTTY):  # behind the last, or there are none
                return
            raise
        last = control.id
        if control.type in _SETTABLE and not control.flags & (
            api.CTRL_FLAG_DISABLED | api.CTRL_FLAG_READ_ONLY
        ):
            yield spelling(control.name.decode("utf-8", "replace")), control


def spelling(name: str) -> str:
    """`White Balance, Automatic` is white_balance_automatic."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def set_controls(device: Device, values: dict[str, int], name: str) -> None:
    """Raises ConfigError for one that the camera has not, or a value that it can't take."""
    if not values:
        return
    known = dict(controls_of(device))
    for control_name, value in values.items():
        control = known.get(control_name)
        if control is None:
            raise ConfigError(f"{name}: has no control {control_name!r}; {_nearest(control_name, known)}")
        if not control.minimum <= value <= control.maximum and control.type != api.CTRL_TYPE_BUTTON:
            raise ConfigError(f"{name}: control.{control_name}={value} is out of range{_range(control)}")
        try:
            device.ask(api.S_CTRL, api.Control(control.id, value))
        except OSError as error:
            refused = f"{name}: control.{control_name}={value} was refused: {error.strerror}"
            if error.errno in (errno.EINVAL, errno.ERANGE):  # such as a menu's number that is left out
                raise ConfigError(f"{refused}{_range(control)}") from error
            raise SourceError(refused) from error


def _nearest(wanted: str, known: dict[str, api.QueryControl]) -> str:
    near = difflib.get_close_matches(wanted, known, 1, 0)
    if not near:
        return "it has none"
    more = f" and {len(known) - _MOST_NAMED} more" if len(known) > _MOST_NAMED else ""
    names = ", ".join(list(known)[:_MOST_NAMED])
    return f"the nearest is {near[0]}{_range(known[near[0]])}; it has {names}{more}"


def _range(control: api.QueryControl) -> str:
    return f", {control.minimum} to {control.maximum} in steps of {control.step}"
