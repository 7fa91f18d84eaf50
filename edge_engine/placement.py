"""Placement: which cores the threads keep to while there is an inference for every one of them.

Left to the system, a stage that holds Python's lock may wait on one core for its turn while the worker of
another core waits for that lock, and a core stands still: 5 % of the time with NanoDet-g on two cores. So
each worker keeps to a core, and the stages around them stay off the first, while their work fits on the rest:
218 to 225 frames/s, medians of five turns.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence

from edge_engine.models.providers import Setting
from edge_engine.stages.stage import StageThread

_FITS = 0.4
"""The stages around keep off the first core while they do at most this much of what the others can take."""

_FITS_NO_LONGER = 0.5
"""With a 1080p file they do 0.31 of all work on two cores: apart, it ran at 121 frames/s, else at 128."""


class Placement:
    """`look` is called now and then, by one thread; each look judges what was done since the last.

    `allowed` are the cores that the engine may use, None where the system doesn't tell.
    """

    def __init__(self, setting: Setting, allowed: list[int] | None, threads: Sequence[StageThread]) -> None:
        self._cores = allowed or []
        self._workers = [thread for thread in threads if thread.stage == "infer"]
        self._around = [thread for thread in threads if thread.stage != "infer"]
        self._has_to = setting.pinned and setting.threads == 1 and 1 < len(self._cores) == len(self._workers)
        self._spent_ns = (0, 0)
        self.is_apart = False

    def look(self) -> None:
        if not self._has_to:
            return
        before, self._spent_ns = self._spent_ns, (_spent_ns(self._around), _spent_ns(self._workers))
        around_ns, inference_ns = (now - then for now, then in zip(self._spent_ns, before, strict=True))
        if inference_ns == 0:
            return
        room = 1 - 1 / len(self._cores)
        limit = room * (_FITS_NO_LONGER if self.is_apart else _FITS)
        is_apart = around_ns / (around_ns + inference_ns) <= limit
        if is_apart != self.is_apart:
            self.is_apart = is_apart
            self._place()

    def _place(self) -> None:
        for thread, core in zip(self._workers, self._cores, strict=True):
            _keep(thread, [core] if self.is_apart else self._cores)
        for thread in self._around:
            _keep(thread, self._cores[1:] if self.is_apart else self._cores)


def _spent_ns(threads: Sequence[StageThread]) -> int:
    return sum(thread.cpu_ns for thread in threads)


def _keep(thread: StageThread, cores: Sequence[int]) -> None:
    # A thread that has ended, or a core that this process has just lost: the system's own choice holds.
    with contextlib.suppress(OSError):
        os.sched_setaffinity(thread.native_id, cores)
