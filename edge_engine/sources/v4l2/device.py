"""Device: one V4L2 node: opened, asked, and streamed from, never waiting where it can't be woken."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import mmap
import os
import select
import stat
from collections.abc import Iterator
from ctypes import Structure, c_int32
from pathlib import Path

from edge_engine.errors import SourceError
from edge_engine.sources.v4l2 import api

BUFFERS = 4
"""One being filled, one waiting to be, one read, and one for a late reader."""


class Device:
    """One thread opens, asks, reads and closes. Errors are OSError, but for what `open` can explain."""

    def __init__(self, path: Path, name: str) -> None:
        self._path, self._name = path, name
        self._fd = -1
        self._maps: list[mmap.mmap] = []

    def open(self) -> api.Capability:
        """Raises SourceError for what is missing, forbidden, or no camera that streams."""
        capability = self.connect()
        if complaint := _unusable(capabilities_of(capability)):
            self.close()
            raise SourceError(f"{self._name}: {complaint}")
        return capability

    def connect(self) -> api.Capability:
        """The same for any video node, whatever it is for."""
        try:
            self._fd = os.open(self._path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            if not stat.S_ISCHR(os.fstat(self._fd).st_mode):
                raise OSError(errno.ENOTTY, "no device")
            capability = api.Capability()
            self.ask(api.QUERYCAP, capability)
        except OSError as error:
            self.close()
            raise SourceError(f"{self._name}: {_why_not_opened(error)}") from error
        return capability

    def ask(self, request: int, argument: Structure | c_int32) -> None:
        """Raises OSError."""
        fcntl.ioctl(self._fd, request, argument)

    def start(self) -> None:
        """Buffers made, mapped and handed to the driver, which begins to fill them."""
        wanted = api.RequestBuffers(BUFFERS, api.BUF_TYPE_VIDEO_CAPTURE, api.MEMORY_MMAP)
        self.ask(api.REQBUFS, wanted)
        for index in range(wanted.count):
            buffer = self._buffer(index)
            self.ask(api.QUERYBUF, buffer)
            self._maps.append(
                mmap.mmap(self._fd, buffer.length, mmap.MAP_SHARED, mmap.PROT_READ, offset=buffer.m.offset)
            )
            self.ask(api.QBUF, buffer)
        # Without it, a driver that knows no such event only tells by its errors.
        with contextlib.suppress(OSError):
            source = c_int32(0)
            self.ask(api.G_INPUT, source)
            self.ask(api.SUBSCRIBE_EVENT, api.EventSubscription(api.EVENT_SOURCE_CHANGE, source.value))
        self.ask(api.STREAMON, c_int32(api.BUF_TYPE_VIDEO_CAPTURE))

    def wait(self, wake_fd: int) -> int:
        """Until there is a picture, event or error, or `wake_fd` can be read: the device's poll flags."""
        poll = select.poll()
        poll.register(self._fd, select.POLLIN | select.POLLPRI)
        poll.register(wake_fd, select.POLLIN)
        return dict(poll.poll()).get(self._fd, 0)

    @contextlib.contextmanager
    def picture(self) -> Iterator[tuple[api.Buffer, memoryview]]:
        """The oldest filled buffer and its bytes, the driver's again afterwards. BlockingIOError: none."""
        buffer = self._buffer(0)
        self.ask(api.DQBUF, buffer)
        try:
            # Released by word: an error's traceback that somebody keeps would hold the map, and so the node.
            with memoryview(self._maps[buffer.index]) as whole, whole[: buffer.bytesused] as data:
                yield buffer, data
        finally:
            self.ask(api.QBUF, buffer)

    def _buffer(self, index: int) -> api.Buffer:
        return api.Buffer(index=index, type=api.BUF_TYPE_VIDEO_CAPTURE, memory=api.MEMORY_MMAP)

    def close(self) -> None:
        """Closing the node stops the stream; the driver's buffers go with the last map."""
        for mapped in self._maps:
            mapped.close()
        self._maps = []
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1


def capabilities_of(capability: api.Capability) -> int:
    """Those of this node, where the driver tells them apart from the whole device's."""
    is_told = capability.capabilities & api.CAP_DEVICE_CAPS
    return int(capability.device_caps if is_told else capability.capabilities)


def _unusable(capabilities: int) -> str:
    if capabilities & api.CAP_VIDEO_CAPTURE and capabilities & api.CAP_STREAMING:
        return ""
    if capabilities & api.CAP_VIDEO_CAPTURE_MPLANE:
        return "its pictures come in separate planes, which aren't read here; use gst:v4l2src device=…"
    return f"is no camera that streams, perhaps its node for metadata; {cameras_there()}"


def _why_not_opened(error: OSError) -> str:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return f"no such camera; {cameras_there()}"
    if error.errno in (errno.ENXIO, errno.ENODEV):
        return "no camera behind it any more; is it still plugged in?"
    if error.errno == errno.EACCES:
        return (
            "no permission to use it; add yourself to its group: sudo usermod -aG video $USER, "
            "then log in again"
        )
    if error.errno == errno.EPERM:
        return "not allowed in here; pass the device to this container (docker run --device)"
    if error.errno == errno.EBUSY:
        return BUSY
    if error.errno in (errno.ENOTTY, errno.EINVAL, errno.EISDIR):
        return f"is no camera; {cameras_there()}"
    return f"can't be opened as a camera: {error.strerror}"


BUSY = "another program holds it; fuser -v on its node tells which"


def cameras_there() -> str:
    there = sorted(str(path) for path in Path("/dev").glob("video*"))
    if there:
        return f"there is {', '.join(there)}"
    return (
        "there is no /dev/video* at all: is it plugged in, and passed through to this machine or container?"
    )
