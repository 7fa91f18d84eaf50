"""The kernels' machine code: compiled by numba once, kept on disk, and loaded without numba ever after.

numba and LLVM take 130 MB and a third of a second; the code that they make takes 60 kB. A process of its
own compiles the kernels into a shared library in the user's cache folder, which every later start just
opens. Where that can't be done (no linker, no place to write) numba compiles them within this process.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from edge_engine.cache import cache_folder
from edge_engine.kernels.registry import KERNELS, checksum
from edge_engine.processor import processor_features

_NATIVE = Path(__file__).parent / "native"
_COMPILE_TIMEOUT_S = 300


class Kernels(Protocol):
    """The loaded functions, those of the registry.

    Each call releases the GIL and checks its arrays' dtypes and layouts.
    """

    def __getattr__(self, name: str) -> Callable[..., int]: ...


_on_compile: list[Callable[[], None]] = []


@cache
def load() -> Kernels:
    """Opens the library, or compiles it first."""
    path = _cached()
    if path is None:
        for tell in _on_compile:
            tell()
        path = _compile()
    if path is not None:
        with contextlib.suppress(OSError):  # a system library that the kernels need is missing here
            return _with_types(ctypes.CDLL(str(path)))
    from edge_engine.kernels.compile import compile_here

    return _with_types(compile_here())


def warm_up(on_compile: Callable[[], None] | None = None) -> None:
    """Make every kernel ready to run; `on_compile` is called before they are compiled, if they must be."""
    if on_compile is not None:
        _on_compile.append(on_compile)
    try:
        load()
    finally:
        _on_compile.clear()


def _with_types(library: Any) -> Kernels:  # noqa: ANN401 - a CDLL, or what looks like one
    for name, kernel in KERNELS.items():
        result, arguments = kernel.types()
        function = getattr(library, name)
        function.restype = _ctype(result)
        function.argtypes = [_ctype(argument) for argument in arguments]
    kernels: Kernels = library
    return kernels


def _ctype(name: str) -> Any:  # noqa: ANN401
    if name.endswith("*"):
        return _ArrayOf(name[:-1])
    return {"int64": ctypes.c_int64, "float64": ctypes.c_double}[name]


class _ArrayOf:
    """An argument type: the address of a writable C-contiguous array that isn't empty, of one dtype.

    ndpointer would do, at three times the time per call.
    """

    def __init__(self, dtype: str) -> None:
        self._dtype = np.dtype(dtype)

    def from_param(self, array: Any) -> Any:  # noqa: ANN401 - an array in, a ctypes reference out
        """Called by ctypes for each argument, which turns a TypeError into its ArgumentError."""
        if array.dtype != self._dtype:
            raise TypeError(f"expected an array of {self._dtype}, got {array.dtype}")
        return ctypes.byref(ctypes.c_char.from_buffer(array))


def _key() -> str:
    """Names the code, the compiler and the processor that the library is for."""
    digest = hashlib.sha256()
    for path in sorted([*_NATIVE.glob("*.py"), *Path(__file__).parent.glob("*.py")]):
        digest.update(path.read_bytes())
    features = " ".join(sorted(processor_features())) or platform.processor()
    digest.update(f"{version('numba')} {version('llvmlite')} {platform.machine()} {features}".encode())
    return digest.hexdigest()[:24]


def _cached() -> Path | None:
    """The library, unless it is missing or damaged: opening a torn one would kill the process."""
    try:
        for path in cache_folder().glob(f"kernels-{_key()}-*.so"):
            if path.stem.rpartition("-")[2] == checksum(path):
                return path
            path.unlink()
    except OSError:
        pass
    return None


def _compile() -> Path | None:
    """Compiles in a process of its own, whose memory goes with it; None if that doesn't work here."""
    if shutil.which("ld") is None:
        return None
    stem = cache_folder() / f"kernels-{_key()}"
    command = [sys.executable, "-m", "edge_engine.kernels.compile", str(stem)]
    root = str(Path(__file__).parents[2])
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([root, *sys.path])}
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=_COMPILE_TIMEOUT_S, env=environment)
    except (OSError, subprocess.SubprocessError):
        return None
    return _cached()
