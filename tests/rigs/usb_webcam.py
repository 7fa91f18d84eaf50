"""A USB camera (UVC 1.1), which the kernel's own driver finds, asks and streams from.

python -m tests.rigs.usb_webcam [--port P]   (as root, with the modules vhci-hcd and uvcvideo)

It gives MJPG and YUYV, over a bulk endpoint, and has a brightness, an exposure time and whether that is
automatic. Says `READY <its USB port>` when it is plugged in, then obeys lines on stdin:

unplug; plug, plug other (another camera in its place); freeze, resume (no more pictures); hang (it answers
nothing at all, until resume); stall (its endpoint, until the host clears that); rate N (pictures per second,
whatever was negotiated; 0: as negotiated); whole, and its opposites: trunc (half a picture), hole (a packet
in the middle is missing), garbage (no JPEG at all), err (marked as damaged). `asked` says what was
negotiated, and the controls' values.
"""

from __future__ import annotations

import argparse
import os
import select

from tests.rigs.usbip import Plug
from tests.rigs.uvc import Format, Frame, Model
from tests.rigs.webcam import Camera
from tests.rigs.webcam_pictures import pictures

FIRST = Model(
    "edge_engine test camera",
    (
        Format(
            "MJPG", (Frame((640, 480), (30, 15, 5)), Frame((320, 240), (30,)), Frame((1280, 720), (15, 5)))
        ),
        Format("YUYV", (Frame((320, 240), (15, 5)), Frame((640, 480), (5,)))),
    ),
)
OTHER = Model("edge_engine other camera", (Format("MJPG", (Frame((800, 600), (20, 10)),)),))


class Rig:
    """The camera that is plugged in, if one is, and what is said on stdin."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._camera: Camera | None = None
        self._plug(FIRST)

    def _plug(self, model: Model) -> None:
        self._unplug()
        self._camera = Camera(model, Plug(self._port))

    def _unplug(self) -> None:
        if self._camera is not None:
            self._camera.plug.pull()
        self._camera = None

    def turn(self) -> bool:
        """Wait for what comes first, and do it. Whether to go on."""
        camera = self._camera
        there, _, _ = select.select(
            [0, camera.plug] if camera else [0], [], [], camera.wait_s() if camera else None
        )
        if camera is not None:
            try:
                if camera.plug in there:
                    camera.obey_host()
                camera.stream()
            except ConnectionError:
                self._unplug()
        return 0 not in there or self._obey_all(os.read(0, 4096).decode())

    def _obey_all(self, said: str) -> bool:
        """Nothing at all is the end of stdin."""
        return bool(said) and all(self.obey(line.split()) for line in said.splitlines())

    def obey(self, words: list[str]) -> bool:
        camera = self._camera
        match words:
            case ["unplug"]:
                self._unplug()
            case ["plug"]:
                self._plug(FIRST)
            case ["plug", "other"]:
                self._plug(OTHER)
            case ["asked"]:
                print(camera.asked() if camera else "unplugged", flush=True)  # noqa: T201
            case ["quit"]:
                return False
            case _ if camera is not None:
                _befall(camera, words)
        return True


def _befall(camera: Camera, words: list[str]) -> None:
    match words:
        case ["freeze"]:
            camera.is_frozen = True
        case ["hang"]:
            camera.is_hanging = True
        case ["resume"]:
            camera.is_frozen = camera.is_hanging = False
        case ["stall"]:
            camera.is_halted = True
        case ["rate", number]:
            camera.fps = float(number)
        case [("whole" | "trunc" | "hole" | "garbage" | "err") as fault]:
            camera.fault = fault


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    port = parser.parse_args().port
    for model in (FIRST, OTHER):
        for each in model.formats:
            for frame in each.frames:
                pictures(each.code, frame.size)  # not at the first connection, which then would look late
    rig = Rig(port)
    print("READY", port, flush=True)  # noqa: T201
    while rig.turn():
        pass


if __name__ == "__main__":
    main()
