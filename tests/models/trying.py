"""Trying: the command line on many files, each in a process of its own that is forked from a warm one.

    python -m tests.models.trying < paths, one a line: a JSON object for each

Only the start of Python is spared: what is forked runs the program's own main on real arguments, and what
that starts to prove a model is forked likewise.
"""

from __future__ import annotations

import contextlib
import gc
import io
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import msgspec

GIVEN_UP_S = 20.0
"""After so long a program counts as hanging: an honest one's limit would have come long before."""
_LOOK_S = 0.002


class Outcome(msgspec.Struct, frozen=True):
    """`code`: of the exit, or minus the signal. `seconds` of wall time."""

    path: str
    code: int
    out: str
    err: str
    seconds: float

    def fault(self, limit_s: float) -> str | None:
        """What is wrong with how it ended."""
        lines = [line for line in self.err.splitlines() if line.strip()]
        if self.code not in (0, 2):
            return f"exit {self.code}"
        if self.seconds > limit_s:
            return f"{self.seconds:.1f} s"
        if "Traceback" in self.err + self.out:
            return "a traceback"
        if self.code == 2 and (len(lines) != 1 or not lines[0].startswith("edge-engine: ")):
            return f"{len(lines)} lines"
        return None


def forked(work: Callable[[], None]) -> subprocess.CompletedProcess[bytes]:
    """What `work` prints and how its process ends; SIGKILL when that takes too long."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            _run_and_exit(work, out.fileno(), err.fileno())
        until_s = time.monotonic() + GIVEN_UP_S
        while os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            if time.monotonic() > until_s:
                os.kill(child, signal.SIGKILL)
            time.sleep(_LOOK_S)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess([], code, out.read(), err.read())


def _run_and_exit(work: Callable[[], None], out: int, err: int) -> None:
    code = 1
    with contextlib.suppress(BaseException):
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out, 1)
        os.dup2(err, 2)
        try:
            work()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        except BaseException:
            sys.excepthook(*sys.exc_info())
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def warm_up(cache: Path) -> None:
    """Everything that a command imports; the proof's process is forked from then on, and what it leaves goes
    to a cache apart from the kernels'."""
    from edge_engine import cli, engine, kernels  # noqa: F401
    from edge_engine.inspection import inspect  # noqa: F401
    from edge_engine.models import families, graph, repair
    from edge_engine.models.providers import import_runtime

    import_runtime()
    kernels.warm_up()
    for name in families.FAMILIES:
        families.load_family(name)

    def run(command: Sequence[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        def work() -> None:
            sys.argv = [command[2], *command[3:]]
            graph.main()

        return forked(work)

    given = sys.argv
    sys.argv = ["edge-engine", *running(Path("none.onnx"), Path("none"))]
    with contextlib.redirect_stderr(io.StringIO()), contextlib.suppress(SystemExit):
        cli.main()  # which loads what is loaded late
    sys.argv = given
    forking = SimpleNamespace(run=run, CompletedProcess=subprocess.CompletedProcess)
    repair.subprocess = forking  # type: ignore[attr-defined]
    repair.cache_folder = lambda: cache
    gc.collect()
    gc.freeze()


def tried(path: Path, *arguments: str) -> Outcome:
    """How `edge-engine` ends with these arguments. `warm_up` was called."""
    from edge_engine import cli

    def work() -> None:
        sys.argv = ["edge-engine", *arguments]
        cli.main()

    started_s = time.monotonic()
    done = forked(work)
    seconds = time.monotonic() - started_s
    texts = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    return Outcome(str(path), done.returncode, *texts, seconds)


def running(path: Path, endpoint: Path) -> list[str]:
    return ["run", "test:320x240@30", "--frames", "3", "--model", str(path), "--publish", f"ipc://{endpoint}"]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        warm_up(Path(folder))
        for line in sys.stdin:
            path = Path(line.rstrip("\n"))
            outcome = tried(path, *running(path, Path(folder) / "results"))
            sys.stdout.buffer.write(msgspec.json.encode(outcome) + b"\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
