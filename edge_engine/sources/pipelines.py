"""Pipelines: GStreamer's text for cameras and hardware decoders that boards have.

Each ends in ordinary memory, for GStreamerSource to read. The elements' names and caps are from the makers'
documentation; of these decoders and cameras none has been run by us.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from edge_engine.sources.uri import Size

Codec = Literal["h264", "h265"]

JETSON = "nvv4l2decoder ! nvvidconv ! video/x-raw,format=NV12"
"""NVIDIA's decoder gives pictures in its own memory; nvvidconv brings them into the processor's."""

RASPBERRY_PI = "v4l2h264dec ! video/x-raw"
"""Of H.264 up to 1080p; on a Raspberry Pi 4 or older, since a Pi 5 has none."""

SOFTWARE: dict[Codec, str] = {"h264": "avdec_h264", "h265": "avdec_h265"}
"""On any machine that has gstreamer1.0-libav."""


def argus_camera(sensor: int, size: Size | None, fps: float | None) -> str:
    """A CSI camera of a Jetson. What isn't asked for is the sensor's first mode's."""
    caps = "video/x-raw(memory:NVMM),format=NV12"
    if size is not None:
        caps += f",width={size[0]},height={size[1]}"
    if fps is not None:
        rate = Fraction(fps).limit_denominator(1001)
        caps += f",framerate={rate.numerator}/{rate.denominator}"
    return f"nvarguscamerasrc sensor-id={sensor} ! {caps} ! nvvidconv ! video/x-raw,format=NV12"


def rtsp(address: str, decoder: str, codec: Codec = "h264") -> str:
    """A network camera, nothing of which is held back for a smoother look."""
    source = f"rtspsrc location={_quoted(address)} protocols=tcp latency=0"
    return f"{source} ! rtp{codec}depay ! {codec}parse ! {decoder}"


def file(path: str, decoder: str) -> str:
    """A video file of any container."""
    return f"filesrc location={_quoted(path)} ! parsebin ! {decoder}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
