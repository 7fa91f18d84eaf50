"""GStreamer through PyGObject: loaded when first needed, and its buffers read in place."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple, TypeAlias

from edge_engine.errors import SourceError, one_line

GObject: TypeAlias = Any
"""One of PyGObject's objects, which have no types."""


class GStreamer(NamedTuple):
    """The two namespaces that are used, Gst and GstVideo, and the error that their calls raise."""

    gst: GObject
    video: GObject
    error: type[Exception]


def load_gstreamer(name: str) -> GStreamer:
    """Raises SourceError, telling what to install, where GStreamer or its bindings are missing."""
    try:
        import gi

        gi.require_version("Gst", "1.0")
        gi.require_version("GstApp", "1.0")
        gi.require_version("GstVideo", "1.0")
        from gi.repository import GLib, Gst, GstApp, GstVideo  # noqa: F401 - GstApp gives appsinks methods
    except (ImportError, ValueError) as error:
        raise SourceError(
            f"{name}: needs GStreamer and its Python bindings ({one_line(error)}): sudo apt install "
            f"python3-gi gir1.2-gst-plugins-base-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good; "
            f"in a virtual environment: one made by the system's Python with --system-site-packages"
        ) from error
    Gst.init(None)
    return GStreamer(Gst, GstVideo, GLib.Error)


class _MapInfo(ctypes.Structure):
    """GstMapInfo of gst/gstmemory.h, which is the same in all of GStreamer 1."""

    _fields_ = (
        ("memory", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("data", ctypes.c_void_p),
        ("size", ctypes.c_size_t),
        ("maxsize", ctypes.c_size_t),
        ("user_data", ctypes.c_void_p * 4),
        ("reserved", ctypes.c_void_p * 4),
    )


_MAP_READ = 1
_BUFFER_READ = 0x100  # PyBUF_READ


@contextmanager
def mapped(buffer: GObject) -> Iterator[memoryview | bytes]:
    """A Gst.Buffer's bytes, valid within the `with` alone.

    PyGObject's own `map` copies them all into new bytes. So the C function is called, on the address by which
    PyGObject shows and hashes a buffer; should that ever be no address any more, the bytes are copied.
    """
    address = hash(buffer) & (2 ** (8 * ctypes.sizeof(ctypes.c_void_p)) - 1)
    if f"(GstBuffer at {address:#x})" not in repr(buffer):
        yield buffer.extract_dup(0, buffer.get_size())
        return
    library, info = _functions(), _MapInfo()
    if not library.gst_buffer_map(address, ctypes.byref(info), _MAP_READ):
        raise SourceError("GStreamer gives pictures in memory that the processor can't read")
    try:
        yield _view(info.data, info.size)
    finally:
        library.gst_buffer_unmap(address, ctypes.byref(info))


@cache
def _functions() -> ctypes.CDLL:
    """The library that PyGObject has loaded into this process already."""
    library = ctypes.CDLL(None)
    library.gst_buffer_map.argtypes = (ctypes.c_void_p, ctypes.POINTER(_MapInfo), ctypes.c_int)
    library.gst_buffer_unmap.argtypes = (ctypes.c_void_p, ctypes.POINTER(_MapInfo))
    library.gst_buffer_unmap.restype = None
    return library


def _view(data: int, size: int) -> memoryview:
    view: memoryview = _make_view(data, size, _BUFFER_READ)
    return view


_make_view = ctypes.pythonapi.PyMemoryView_FromMemory
_make_view.restype = ctypes.py_object
_make_view.argtypes = (ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_int)
