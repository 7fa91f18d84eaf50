"""A control loop in another language, as a process that says what it would do, 50 times a second."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.rigs.peer import PATIENCE_S

Look = dict[str, Any]


class Watcher:
    """`looks` are all of its lines so far."""

    def __init__(self, command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | (environment or {}),
        )
        self.looks: list[Look] = []
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)

    def until(self, is_so: Callable[[Look], object]) -> Look:
        """The first of its next looks of which that is true."""
        deadline = time.monotonic() + 2 * PATIENCE_S
        while time.monotonic() < deadline:
            assert self._process.poll() is None, "it has ended"
            try:
                look = json.loads(self._lines.get(timeout=1))
            except queue.Empty:
                continue
            self.looks.append(look)
            if is_so(look):
                return look
        raise AssertionError(f"never came: the last look was {self.looks[-1:]}")

    def end(self) -> int:
        """Its exit code, once it was asked to."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return self._process.wait(PATIENCE_S)

    def __enter__(self) -> Watcher:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
