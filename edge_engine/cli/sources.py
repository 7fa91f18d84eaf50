"""edge-engine sources: which cameras are here, and what else pictures can come from."""

from __future__ import annotations

import sys
from typing import Annotated

import msgspec
import typer

from edge_engine.cli.screen import make_screen
from edge_engine.sources.v4l2.listing import CameraInfo, list_cameras

_MOST_SHOWN = 12
_OTHERS = """Other sources, each with an example:
  rtsp://USER:PASSWORD@HOST/PATH   a network camera
  http://HOST/PATH                 MJPEG over HTTP
  csi:0, picamera:0                a Jetson's or a Raspberry Pi's camera
  gst:videotestsrc is-live=true    a GStreamer pipeline
  zmq:tcp://HOST:PORT              pictures from another process
  clips/street.mp4, pictures       a video file, a folder of pictures
  test:640x480@30                  a synthetic pattern"""


def sources(
    as_json: Annotated[bool, typer.Option("--json", help="The cameras, as one JSON array.")] = False,
) -> None:
    """List the cameras of this machine: formats, sizes, rates and controls."""
    cameras = list_cameras() if sys.platform == "linux" else []
    if as_json:
        typer.echo(msgspec.json.encode(cameras))
        return
    text = "\n\n".join(map(_shown, cameras)) if cameras else _none()
    make_screen().print(f"{text}\n\n{_OTHERS}", markup=False, highlight=False, soft_wrap=True)


def _none() -> str:
    if sys.platform != "linux":
        return "Cameras are listed on Linux alone; try camera:0."
    return (
        "There is no camera: no /dev/video* that gives pictures. Is it plugged in? In a container, pass it "
        "in (docker run --device /dev/video0); to use it, "
        "join the group video (sudo usermod -aG video $USER)."
    )


def _shown(camera: CameraInfo) -> str:
    if camera.problem:
        return f"{camera.device}: {camera.problem}"
    lines = [f"{camera.device}: {camera.name} ({camera.driver}, {camera.bus})"]
    if camera.by_id:
        lines.append(f"  the same when replugged: camera:{camera.by_id}")
    for name, sizes in list(camera.formats.items())[:_MOST_SHOWN]:
        shown = ", ".join(f"{each.size}@{each.fps[0]:g}" if each.fps else each.size for each in sizes)
        lines.append(f"  {name}: {shown}")
    if len(camera.formats) > _MOST_SHOWN:
        lines.append(f"  and {len(camera.formats) - _MOST_SHOWN} more formats (all: --json)")
    lines += [f"  control.{each.name}: {each.minimum} to {each.maximum}" for each in camera.controls]
    return "\n".join(lines)
