"""Limits: what a process that tries a model may take, and what is said of its end."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edge_engine.models.limits import why_it_ended

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux alone")


def limited(then: str) -> subprocess.CompletedProcess[bytes]:
    program = f"from edge_engine.models.limits import limit_this_process as limit\nlimit(0)\n{then}"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60, check=False)


@ON_LINUX
def test_more_memory_than_the_models_size_explains_is_refused() -> None:
    done = limited("bytearray(16 << 20)\nbytearray(4 << 30)")
    assert done.returncode == 1
    assert why_it_ended(Path("x.onnx"), done) == "x.onnx: can't be run: MemoryError"


def test_a_crash_leaves_no_core_file_and_is_named() -> None:
    done = limited("import resource, os\nassert resource.getrlimit(resource.RLIMIT_CORE)[0] == 0\nos.abort()")
    assert done.returncode == -signal.SIGABRT
    assert "(SIGABRT)" in why_it_ended(Path("x.onnx"), done)


@pytest.mark.parametrize(
    ("code", "said", "line"),
    [
        (2, b"noise of a library\nx.onnx: isn't one\n", "x.onnx: isn't one"),
        (1, b"Traceback (most recent call last):\nValueError: x\n", "x.onnx: can't be run: ValueError: x"),
        (1, b"", "x.onnx: can't be run: it gave no reason"),
        (-signal.SIGSEGV, b"", "x.onnx: to try it ended the process that did (SIGSEGV); is it damaged?"),
        (-signal.SIGPROF, b"", "x.onnx: took much longer to try than its size explains, and was given up"),
        (-signal.SIGALRM, b"", "x.onnx: took much longer to try than its size explains, and was given up"),
    ],
)
def test_each_end_is_one_line(code: int, said: bytes, line: str) -> None:
    text = why_it_ended(Path("x.onnx"), subprocess.CompletedProcess([], code, b"", said))
    assert text.startswith(line)
    assert "\n" not in text
