"""A rig as a process of its own: started, told what to do on its stdin, stopped or killed like any other."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).parents[2]
PATIENCE_S = 30.0
"""How long a test waits for what must come: long, since it is there only for the test to end at all."""


class Peer:
    """`python -m tests.rigs.NAME …`, which says `READY <port>` when it is."""

    def __init__(self, name: str, *arguments: str) -> None:
        self._command = [sys.executable, "-m", f"tests.rigs.{name}", *arguments]
        self.port = 0
        self.start()

    def start(self) -> None:
        """Also again, at the port that it had."""
        fixed = ["--port", str(self.port)] if self.port else []
        self._process = subprocess.Popen(
            [*self._command, *fixed], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        said = self._process.stdout.readline().split()
        assert said[:1] == ["READY"], said
        self.port = int(said[1])

    def say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def ask(self, line: str) -> str:
        """What it answers, in one line."""
        self.say(line)
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    @property
    def pid(self) -> int:
        return self._process.pid

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def __enter__(self) -> Peer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()


def wait_until(is_so: Callable[[], object], timeout_s: float = PATIENCE_S) -> bool:
    """Whether it came true within the time."""
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        if is_so():
            return True
        time.sleep(0.01)
    return bool(is_so())


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
