"""vivid: the kernel's own test camera, in the rig's machine: unplugged, plugged in, told to fail."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from edge_engine.sources.v4l2.device import Device
from edge_engine.sources.v4l2.negotiate import set_controls

_DRIVER = Path("/sys/bus/platform/drivers/vivid")

needs_vivid = pytest.mark.skipif(not _DRIVER.exists(), reason="needs the vivid camera: make rig-v4l2")


def configure(*arguments: str) -> None:
    """By v4l2-ctl, as another program would."""
    subprocess.run(["v4l2-ctl", *arguments], check=True)


def set_now(**values: int) -> None:
    """Some of its controls, sooner than a program can be started."""
    device = Device(Path("/dev/video0"), "vivid")
    device.open()
    try:
        set_controls(device, values, "vivid")
    finally:
        device.close()


def unplug() -> None:
    (_DRIVER / "unbind").write_text("vivid.0")


def plug() -> None:
    (_DRIVER / "bind").write_text("vivid.0")
