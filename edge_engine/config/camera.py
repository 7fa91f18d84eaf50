"""Camera: what a stream's camera sees where."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from edge_engine.config.values import Deviation, Metres, Pixels, Share, Side, ViewAngle
from edge_engine.yaml.struct import LabelName


class IntrinsicsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A calibrated lens, as OpenCV has it: focal lengths and centre in pixels of pictures of that `size`, and
    the distortion: k1, k2, p1, p2[, k3[, k4, k5, k6]] of a `pinhole`, k1 to k4 of a `fisheye`."""

    fx: Pixels
    fy: Pixels
    cx: Pixels
    cy: Pixels
    size: Annotated[tuple[Side, Side], Meta(description="width and height in pixels, such as [640, 480]")]
    model: Literal["pinhole", "fisheye"] = "pinhole"
    distortion: Annotated[tuple[float, ...], Meta(max_length=8, description="a list of up to 8 numbers")] = ()


class CameraConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a stream's camera sees where, so that objects get metres and degrees (geometry/).

    The lens: `intrinsics`, a calibration's `file` (ROS's, OpenCV's), or only the horizontal angle of view,
    `hfov_deg`. The mounting: the lens is `height_m` above the ground; yaw to the left, pitch down and roll to
    the right, from looking forward, are positive. `heights_m`: how tall things of a label are, for when their
    foot isn't seen on the ground. The rest are standard deviations: `pixel_std_px` of a box's sides (null: a
    twentieth of its height), `heights_std` a share of `heights_m`.
    """

    intrinsics: IntrinsicsConfig | None = None
    file: Annotated[str, Meta(min_length=1, description="a calibration file's path")] | None = None
    hfov_deg: ViewAngle | None = None
    height_m: Metres
    pitch_deg: Annotated[float, Meta(ge=-90, le=90)] = 0.0
    roll_deg: Annotated[float, Meta(ge=-180, le=180)] = 0.0
    yaw_deg: Annotated[float, Meta(ge=-180, le=180)] = 0.0
    heights_m: dict[LabelName, Metres] = {}
    hfov_std_deg: Deviation = 3.0
    height_std_m: Deviation = 0.02
    pitch_std_deg: Deviation = 1.0
    roll_std_deg: Deviation = 1.0
    yaw_std_deg: Deviation = 1.0
    pixel_std_px: Deviation | None = None
    heights_std: Share = 0.07
