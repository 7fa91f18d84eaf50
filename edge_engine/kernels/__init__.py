"""kernels: decode and suppress, compiled by numba; pure functions of arrays."""

from edge_engine.kernels.library import warm_up

__all__ = ["warm_up"]
