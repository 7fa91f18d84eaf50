"""External data: weights that lie in files beside a model."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import TensorProto

from edge_engine.errors import ModelError

# What is repaired is one file again, and so can't be larger.
_MOST_BYTES = 1 << 31


def bytes_of(path: Path) -> int:
    """Of a model with all files beside it that it names. ModelError when that is too much.

    A name that leads out of its folder counts nothing: onnx refuses to read it.
    """
    try:
        model = onnx.load(path, load_external_data=False)
    except Exception:  # protobuf's own; whoever loads it tells what is wrong
        return path.stat().st_size
    names = {
        entry.value
        for tensor in model.graph.initializer
        if tensor.data_location == TensorProto.EXTERNAL
        for entry in tensor.external_data
        if entry.key == "location"
    }
    files = [path.parent / name for name in names if Path(name).name == name]
    size: int = path.stat().st_size + sum(file.stat().st_size for file in files if file.is_file())
    if size >= _MOST_BYTES:
        raise ModelError(f"{path}: with its weights {size / 1e9:.1f} GB; larger than 2 GiB can't be run")
    return size
