"""The life of a stage's thread: its name, loop, heartbeat, first error and end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

from edge_engine.ring import RingClosed
from edge_engine.scheduling import Scheduling


class Stage(Protocol):
    """One input, one output, one collaborator. Its thread alone calls these.

    `name` is `stream/stage`, `stage-worker` or `stage`.
    """

    name: str

    def step(self) -> None:
        """One frame's worth of work; RingClosed when there will be no more."""
        ...

    def finish(self) -> None:
        """Close the output and give everything back; called once, whatever happened."""
        ...


class StageThread:
    """Runs a stage until its rings close. `on_end` is called from the stage's thread, at its end.

    `stage` is the name without stream and worker. `error` is the exception that ended the stage, if one
    did. `cpu_ns` is the thread's own CPU time, as of its last step; threads that an inference starts are
    not in it.
    """

    def __init__(self, stage: Stage, scheduling: Scheduling, on_end: Callable[[StageThread], None]) -> None:
        self.name = stage.name
        self.stage = stage.name.rpartition("/")[2].partition("-")[0]
        self.error: Exception | None = None
        self.cpu_ns = 0
        self._stage = stage
        self._scheduling = scheduling
        self._on_end = on_end
        # Daemons: a native call that hangs must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name=stage.name, daemon=True)

    @property
    def native_id(self) -> int:
        """The system's number of the thread; 0, which means the caller's own, before it starts."""
        return self._thread.native_id or 0

    def start(self) -> None:
        self._thread.start()

    def join(self, timeout_s: float) -> bool:
        """Whether the thread has ended within the time."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._scheduling.apply()
            self._loop()
        except Exception as error:
            self.error = error
        try:
            self._stage.finish()
        except Exception as error:
            self.error = self.error or error
        self._on_end(self)

    def _loop(self) -> None:
        try:
            while True:
                self._stage.step()
                self.cpu_ns = time.thread_time_ns()
        except RingClosed:
            pass
