"""USB/IP: this process is a USB device that the kernel's virtual host controller (vhci_hcd) has plugged in.

The messages are those of the kernel's Documentation/usb/usbip_protocol: a header of 48 bytes, big-endian,
then the data. The kernel gets its end of a pair of sockets by sysfs; the unplugging is the pair's closing.
"""

from __future__ import annotations

import errno
import socket
import struct
import time
from pathlib import Path
from typing import NamedTuple

CONTROLLER = Path("/sys/devices/platform/vhci_hcd.0")
STALL = -errno.EPIPE
"""The status of a request that the device refuses, or of an endpoint that is halted."""

_SUBMIT, _UNLINK, _SUBMITTED, _UNLINKED = 1, 2, 3, 4
_HEADER = struct.Struct(">5I 5i 8s")
_UNLINK_HEADER = struct.Struct(">5I I 24x")
_REPLY = struct.Struct(">5I 5i 8x")
_HIGH_SPEED = 3
_DEVICE = 0x00010002  # bus 1, device 2: any that isn't 0
_PATIENCE_S = 30.0


class Request(NamedTuple):
    """`length`: the most bytes of an answer; `setup`: eight bytes, of control requests (endpoint 0)."""

    number: int
    endpoint: int
    length: int
    setup: bytes
    data: bytes


class Unlink(NamedTuple):
    """The host no longer waits for the request of that number."""

    number: int
    request_number: int


class Plug:
    """A device that is plugged in. One thread uses it. ConnectionError: the host has let go of it."""

    def __init__(self, port: int) -> None:
        self._socket, kernels = socket.socketpair()
        with kernels:
            _attach(f"{port} {kernels.fileno()} {_DEVICE} {_HIGH_SPEED}")

    def fileno(self) -> int:
        return self._socket.fileno()

    def receive(self) -> Request | Unlink:
        header = self._exactly(_HEADER.size)
        kind, number, _, is_in, endpoint, _, length, _, _, _, setup = _HEADER.unpack(header)
        if kind == _UNLINK:
            return Unlink(number, _UNLINK_HEADER.unpack(header)[-1])
        assert kind == _SUBMIT, kind
        data = b"" if is_in or not length else self._exactly(length)
        return Request(number, endpoint, length, setup, data)

    def _exactly(self, size: int) -> bytes:
        data = self._socket.recv(size, socket.MSG_WAITALL)
        if len(data) < size:
            raise ConnectionError("the host is gone")
        return data

    def answer(self, request: Request, data: bytes = b"") -> None:
        """With what was asked for, or that all of what came was taken."""
        taken = len(data) or len(request.data)
        self._reply(_SUBMITTED, request.number, 0, taken, data)

    def refuse(self, request: Request) -> None:
        self._reply(_SUBMITTED, request.number, STALL)

    def unlinked(self, unlink: Unlink, *, in_time: bool) -> None:
        """`in_time`: the request was still waiting; it is never answered then."""
        self._reply(_UNLINKED, unlink.number, -errno.ECONNRESET if in_time else 0)

    def _reply(self, kind: int, number: int, status: int, length: int = 0, data: bytes = b"") -> None:
        self._socket.sendall(_REPLY.pack(kind, number, 0, 0, 0, status, length, 0, 0, 0) + data)

    def pull(self) -> None:
        self._socket.close()


def _attach(text: str) -> None:
    """The port may still be busy with the device that was in it."""
    until = time.monotonic() + _PATIENCE_S
    with (CONTROLLER / "attach").open(
        "wb", buffering=0
    ) as attach:  # a buffer would write again what was refused
        while True:
            try:
                attach.write(text.encode())
                return
            except OSError as error:
                if error.errno != errno.EBUSY or time.monotonic() > until:
                    raise
            time.sleep(0.005)
