"""Interruption: ends, from another thread, a call of FFmpeg's that waits.

While it waits, FFmpeg asks PyAV many times a second whether to go on, and PyAV compares the clock with its
time limit. PyAV has no other way to say no. So its clock is ours here, by which every limit has passed for a
thread that was interrupted. Otherwise a camera that hangs would keep its connection for seconds after it was
given up, and many cameras allow two or three; and a thread that asks while the interpreter ends crashes it.
"""

from __future__ import annotations

import itertools
import threading
import time

from av.container import core

_LONG_PAST = itertools.count(10**18, 10**9)
"""In seconds. It grows, or a call that begins after the interruption would have all its time before it."""

_calling = threading.local()


def heed(interrupted: threading.Event) -> None:
    """From now on, calls of this thread to FFmpeg end with an error as soon as the event is set."""
    _calling.interrupted = interrupted


class _Clock:
    """What PyAV uses of the module `time`."""

    @staticmethod
    def monotonic() -> float:
        interrupted: threading.Event | None = getattr(_calling, "interrupted", None)
        is_over = interrupted is not None and interrupted.is_set()
        return float(next(_LONG_PAST)) if is_over else time.monotonic()


setattr(core, "time", _Clock)  # noqa: B010 - PyAV's types don't know that it is there
