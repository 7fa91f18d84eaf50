"""The kernels' code, in the part of Python that numba compiles. Imported only to compile it.

Kernels work on what they are handed: raw pointers and lengths, laid out as arrays at their beginning. They
allocate nothing and raise nothing, so that their machine code needs neither numba nor Python to run.
Division is numpy's: x/0 is inf or NaN. No fast-math: NaN stays NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def part(function: F) -> F:
    """A helper of kernels, compiled into each that calls it."""
    return cast(F, numba.njit(error_model="numpy")(function))
