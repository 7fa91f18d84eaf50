"""Limits: what a process may take that tries a model nobody knows: time, memory, no core file; and its end.

Both allowances follow from the file's size, since honest work and honest memory grow with the weights. They
hold inside native code too: the kernel ends the process, or refuses it memory.

Time is processor time, of which a busy machine gives an honest model as much as an idle one.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from edge_engine.errors import ModelError

# Models of 10 MB take 0.2 to 0.5 s of one core where this process takes the usual time to start.
_BASE_S = 1.5
_BYTES_PER_S = 10_000_000
_USUAL_START_S = 0.45
# What waits for ever takes no processor time.
_WALL_TIMES = 4

_BASE_BYTES = 2 << 30
# A model's own weights are held several times over while it is read, rewritten, written and loaded.
_COPIES = 8
_SHARE_OF_AVAILABLE = 0.8


def limit_this_process(model_bytes: int, patience: int = 1) -> None:
    """From here on; `patience`: times the usual time. A slower machine, by the time that this process took to
    start, gives more, too.

    Where the system lacks such limits, nothing is limited.
    """
    if sys.platform == "win32":
        return
    import resource

    slowness = max(1.0, time.process_time() / _USUAL_START_S)
    seconds = patience * slowness * (_BASE_S + model_bytes / _BYTES_PER_S)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, seconds * _WALL_TIMES)

    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
    if sys.platform == "linux":  # RLIMIT_DATA counts mappings there, and address space doesn't tell memory
        available = int(_SHARE_OF_AVAILABLE * psutil.virtual_memory().available)
        more = min(_BASE_BYTES + _COPIES * model_bytes, available)
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        limit = psutil.Process().memory_info().data + more
        resource.setrlimit(resource.RLIMIT_DATA, (limit if hard < 0 else min(limit, hard), hard))


def why_it_ended(source: Path, done: subprocess.CompletedProcess[bytes]) -> str:
    """In one line, of the process that tried the model `source` and failed: its own last line, if it can."""
    said = done.stderr.decode(errors="replace").strip().splitlines() or ["it gave no reason"]
    if done.returncode == ModelError.exit_code:
        return said[-1]
    if done.returncode in (-signal.SIGPROF, -signal.SIGALRM):
        return (
            f"{source}: took much longer to try than its size explains, and was given up; "
            "expected a graph without endless loops"
        )
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        return f"{source}: to try it ended the process that did ({name}); is it damaged? export it again"
    return f"{source}: can't be run: {said[-1]}"
