"""The machine that the rig's USB camera is plugged into, as a test sees it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from tests.rigs.peer import Peer, wait_until
from tests.rigs.usbip import CONTROLLER

_NODES = Path("/sys/class/video4linux")
_NODROP = Path("/sys/module/uvcvideo/parameters/nodrop")

needs_usb = pytest.mark.skipif(not CONTROLLER.exists(), reason="needs a virtual USB port: make rig-v4l2")


def node() -> str:
    """The camera's, not the one for its metadata; empty while it isn't plugged in."""
    return next((f"/dev/{entry.name}" for entry in _NODES.iterdir() if _is_ours(entry)), "")


def _is_ours(entry: Path) -> bool:
    with suppress(OSError):  # it is unplugged this moment
        name, index = (entry / "name").read_text(), (entry / "index").read_text()
        return name.startswith("edge_engine") and int(index) == 0
    return False


def replug(camera: Peer, model: str = "") -> str:
    """As new, with all faults gone, also another model; its node."""
    camera.say("unplug")
    assert wait_until(lambda: not node())
    camera.say(f"plug {model}")
    assert wait_until(node)
    return node()


def keep_damaged(is_kept: bool) -> None:
    """Whether the driver hands on, marked, what it knows to be damaged: newer kernels' does, and this one's
    when it is told to. Counts from the next plugging in on.
    """
    _NODROP.write_text("1" if is_kept else "0")
