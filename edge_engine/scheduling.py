"""Scheduling: which cores the engine's threads may use, how urgently they run, and whether cores sleep."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO

from edge_engine.errors import ConfigError

_WAKE_UP_LATENCY = "/dev/cpu_dma_latency"


@dataclass(frozen=True, slots=True)
class Scheduling:
    """What a thread asks of the system. A thread passes it on to those that it starts.

    `cores` None means any; `priority` 1 to 99 is SCHED_FIFO's, above every ordinary program. `is_batch`:
    a thread that wakes up waits its turn instead of pushing another aside, SCHED_BATCH. With more work
    than cores that saves the other's caches: 13 to 5 switches and 3 % of the CPU time per frame, where
    latency doesn't count. Systems other than Linux have none of this.
    """

    cores: tuple[int, ...] | None = None
    priority: int | None = None
    is_batch: bool = False

    def apply(self) -> None:
        """To the calling thread. Raises ConfigError, in one line, when the system refuses."""
        if self.cores is not None:
            _pin(self.cores)
        if self.priority is not None:
            _prioritise(self.priority)
        elif self.is_batch and hasattr(os, "SCHED_BATCH"):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))

    @contextmanager
    def applied(self) -> Iterator[None]:
        """For what is done meanwhile, and for the threads that are started by it."""
        if not hasattr(os, "sched_getaffinity"):
            self.apply()
            yield
            return
        before = os.sched_getaffinity(0), os.sched_getscheduler(0), os.sched_getparam(0)
        try:
            self.apply()
            yield
        finally:
            os.sched_setaffinity(0, before[0])
            os.sched_setscheduler(0, before[1], before[2])


def _pin(wanted: tuple[int, ...]) -> None:
    if not hasattr(os, "sched_setaffinity"):
        raise ConfigError("realtime.cores: this system can't bind threads to cores; leave the key out")
    allowed = os.sched_getaffinity(0)
    if not set(wanted) <= allowed:
        known = ", ".join(map(str, sorted(allowed)))
        raise ConfigError(f"realtime.cores: expected some of the cores {known}, found {list(wanted)}")
    os.sched_setaffinity(0, wanted)


def _prioritise(priority: int) -> None:
    if not hasattr(os, "SCHED_FIFO"):
        raise ConfigError("realtime.priority: this system has no SCHED_FIFO; leave the key out")
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
    except PermissionError:
        raise ConfigError(
            f"realtime.priority: the system refuses real-time priority {priority}; run as root, or put "
            f"`<user> - rtprio {priority}` into /etc/security/limits.conf and log in again, or leave it out"
        ) from None


def keep_awake() -> FileIO:
    """No core enters an idle state until the file that this returns is closed, or the process ends.

    Linux's PM QoS: 0, in 32 bits, is the longest wake-up in microseconds that is put up with. A camera's
    frames find the cores asleep: NanoDet-g took 13.3 ms at 25 frames/s, and 10.6 ms on cores kept awake. It
    costs power, not time: an idle core still gives way at once. Raises ConfigError when the system refuses.
    """
    try:
        file = FileIO(_WAKE_UP_LATENCY, "w")
        file.write((0).to_bytes(4, "little"))
    except OSError as error:
        raise ConfigError(
            f"realtime.awake: the system refuses {_WAKE_UP_LATENCY} ({error.strerror}); run as root, or let "
            "your group write to it by a udev rule, or leave the key out"
        ) from None
    return file
