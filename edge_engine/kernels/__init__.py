"""kernels: decode and suppress, in numba; pure functions of arrays.

Importing this package imports no numba. Importing one of its modules loads that kernel from numba's cache
(beside the source, else in the user's cache folder; NUMBA_CACHE_DIR overrides) or compiles it, which takes
seconds on a small board, once. `warm_up` does so for all of them, and can tell before it compiles.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

KERNELS = ("gfl", "nms")


def warm_up(on_compile: Callable[[], None] | None = None) -> None:
    """Make every kernel ready to run; call it before a model family is loaded.

    `on_compile` is called at most once, before the first compilation, and not at all when every kernel
    is in the cache or already loaded.
    """
    from edge_engine.kernels.jit import watch_compilation

    with watch_compilation(on_compile or (lambda: None)):
        for name in KERNELS:
            import_module(f"edge_engine.kernels.{name}")
