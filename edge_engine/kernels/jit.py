"""jit: the one place that knows numba. Kernels are compiled ahead, for exact types, and kept on disk.

A kernel states its signature, so it is loaded or compiled when its module is imported, never in the
middle of a stream, and an array of another dtype or layout is a TypeError instead of a silent compilation.
Kernels release the GIL and divide as numpy does (x/0 is inf or NaN); no fast-math, NaN stays NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import numba
from numba.core import event

F = TypeVar("F", bound=Callable[..., Any])

OPTIONS = {"nogil": True, "error_model": "numpy"}


def jit(signature: str) -> Callable[[F], F]:
    """A kernel of one numba signature, such as "int64(float32[::1])", from the cache where possible."""

    def compile_kernel(function: F) -> F:
        for compile_with in (_from_cache, _into_emptied_cache, _without_cache):
            try:
                return cast(F, compile_with(function, signature))
            except Exception as error:  # numba raises what the cache's files and folders make it raise
                last = error
        raise last

    return compile_kernel


def _from_cache(function: F, signature: str) -> Any:  # noqa: ANN401 - numba has no type stubs
    return numba.njit(signature, cache=True, **OPTIONS)(function)


def _into_emptied_cache(function: F, signature: str) -> Any:  # noqa: ANN401
    """After a power cut tore the cache's files."""
    numba.njit(cache=True, **OPTIONS)(function).recompile()  # nothing compiled yet: only empties the cache
    return _from_cache(function, signature)


def _without_cache(function: F, signature: str) -> Any:  # noqa: ANN401
    """No folder can be written, or the disk is full: the engine runs, and compiles at every start."""
    return numba.njit(signature, **OPTIONS)(function)


def jit_part(function: F) -> F:
    """A helper that kernels of the same file call; compiled into each of them."""
    return cast(F, numba.njit(**OPTIONS)(function))


class _FirstCompilation(event.Listener):  # type: ignore[misc]  # numba has no type stubs
    """Calls back when numba starts to compile for the first time; a cache hit is no compilation."""

    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback: Callable[[], None] | None = callback

    def on_start(self, event: object) -> None:
        if self._callback is not None:
            callback, self._callback = self._callback, None
            callback()

    def on_end(self, event: object) -> None:
        pass


@contextmanager
def watch_compilation(on_compile: Callable[[], None]) -> Iterator[None]:
    """`on_compile` is called at most once, before the first compilation within the block."""
    with event.install_listener("numba:compile", _FirstCompilation(on_compile)):
        yield
