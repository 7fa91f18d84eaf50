"""A V4L2 driver that hangs: until this process is killed, every call into the camera waits in the kernel.

python -m tests.rigs.stuck_driver [--node /dev/video0]   (as root, of the vivid camera)

A control's value is set from memory whose page never comes (userfaultfd). The driver reads it while it holds
its lock, which all its other calls and its own thread that makes the pictures need too.
"""

from __future__ import annotations

import argparse
import ctypes
import fcntl
import os
import threading
from ctypes import Structure, c_uint32, c_uint64
from pathlib import Path

_SYS_USERFAULTFD = {"x86_64": 323, "aarch64": 282}
_UFFDIO_API, _UFFDIO_REGISTER, _MISSING = 0xC018AA3F, 0xC020AA00, 1
_PROT_READ_WRITE, _MAP_PRIVATE_ANONYMOUS, _PAGE = 3, 0x22, 4096
_S_EXT_CTRLS = 0xC0205648
_PIXEL_ARRAY, _PIXELS = 0x0098F90E, 80 * 45


class _Api(Structure):
    _fields_ = [("api", c_uint64), ("features", c_uint64), ("ioctls", c_uint64)]


class _Register(Structure):
    _fields_ = [("start", c_uint64), ("length", c_uint64), ("mode", c_uint64), ("ioctls", c_uint64)]


class _Control(Structure):
    _pack_ = 1
    _fields_ = [("id", c_uint32), ("size", c_uint32), ("reserved2", c_uint32), ("value", c_uint64)]


class _Controls(Structure):
    _fields_ = [
        ("which", c_uint32),
        ("count", c_uint32),
        ("error_index", c_uint32),
        ("request_fd", c_uint32),
        ("reserved", c_uint32),
        ("controls", c_uint64),
    ]


def page_that_never_comes() -> int:
    """Its address; whoever reads there waits for good."""
    libc = ctypes.CDLL(None, use_errno=True)
    fault_fd = libc.syscall(_SYS_USERFAULTFD[os.uname().machine], os.O_CLOEXEC)
    if fault_fd < 0:
        raise OSError(ctypes.get_errno(), "userfaultfd")
    fcntl.ioctl(fault_fd, _UFFDIO_API, _Api(api=0xAA))
    libc.mmap.restype, libc.mmap.argtypes = ctypes.c_void_p, [ctypes.c_void_p, *[ctypes.c_size_t] * 5]
    address: int = libc.mmap(None, _PAGE, _PROT_READ_WRITE, _MAP_PRIVATE_ANONYMOUS, 2**64 - 1, 0)
    fcntl.ioctl(fault_fd, _UFFDIO_REGISTER, _Register(address, _PAGE, _MISSING))
    return address


def hold(node_fd: int, address: int) -> None:
    control = _Control(_PIXEL_ARRAY, _PIXELS, 0, address)
    fcntl.ioctl(node_fd, _S_EXT_CTRLS, _Controls(count=1, controls=ctypes.addressof(control)))


def is_stuck(thread: threading.Thread) -> bool:
    where = Path(f"/proc/self/task/{thread.native_id}/wchan")
    return "userfault" in where.read_text()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--node", default="/dev/video0")
    node_fd = os.open(parser.parse_args().node, os.O_RDWR | os.O_CLOEXEC)
    thread = threading.Thread(target=hold, args=(node_fd, page_that_never_comes()))
    thread.start()
    while not is_stuck(thread):
        if not thread.is_alive():
            raise SystemExit("the driver didn't get stuck")
    print("READY 0", flush=True)  # noqa: T201
    thread.join()


if __name__ == "__main__":
    main()
