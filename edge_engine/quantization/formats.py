"""Formats: what each kind of device wants a quantized graph to look like."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import numpy as np

from edge_engine.processor import processor_features
from edge_engine.quantization.histogram import Range

Target = Literal["x86", "arm", "tensorrt"]
TARGETS: tuple[Target, ...] = get_args(Target)

_DOT_PRODUCTS = {"avx512_vnni", "avx_vnni", "amx_int8"}


class Format(NamedTuple):
    """`is_symmetric`: activations are int8 around zero, else uint8 with a zero point. `weight_limit`: of the
    symmetric int8 weights. `has_outputs`: what leaves a layer is quantized too, as ONNX Runtime's integer
    kernels want it; TensorRT takes what the next layer reads. `takes_pixels`: the picture is a layer's
    quantized input as it is."""

    is_symmetric: bool
    weight_limit: int
    has_int_bias: bool
    has_outputs: bool
    takes_pixels: bool

    def scale_and_zero(self, values: Range) -> tuple[np.float32, np.int8 | np.uint8]:
        """ONNX's: value = (quantized - zero) · scale."""
        if self.is_symmetric:
            scale = max(-values.low, values.high) / 127
            return np.float32(scale or 1.0), np.int8(0)
        scale = (values.high - values.low) / 255 or 1.0
        zero = int(np.clip(round(-values.low / scale), 0, 255))
        return np.float32(scale), np.uint8(zero)


def format_for(target: Target) -> Format:
    """On x86 without instructions for dot products of bytes, two products are added in 16 bits, where weights
    of 8 bits can overflow: they get 7."""
    if target == "tensorrt":
        return Format(
            is_symmetric=True, weight_limit=127, has_int_bias=False, has_outputs=False, takes_pixels=False
        )
    if target == "arm":
        return Format(
            is_symmetric=True, weight_limit=127, has_int_bias=True, has_outputs=True, takes_pixels=False
        )
    limit = 127 if has_dot_products() else 63
    return Format(
        is_symmetric=False, weight_limit=limit, has_int_bias=True, has_outputs=True, takes_pixels=True
    )


def has_dot_products() -> bool:
    """Whether this processor multiplies and adds bytes in one step (VNNI)."""
    return bool(_DOT_PRODUCTS & processor_features())
