"""Reads the weights of a PyTorch file without PyTorch: {name: float32 array}.

The format before version 1.6, which is not a zip file: five pickles one after the other (a magic number, the
protocol's version, the machine's kind of integers, the dictionary, the storages' keys in their order), then
for each storage its number of elements, as 64-bit integer, and its elements. In the dictionary a tensor is a
call of `_rebuild_tensor_v2` on a storage, named by a persistent id, with an offset, a size and strides.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

_MAGIC = 0x1950A86A20F9469CFC6C
_DTYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class _Tensor(NamedTuple):
    key: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Reader(pickle.Unpickler):
    """Calls nothing but what a dictionary of tensors needs."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self.dtypes: dict[str, np.dtype[Any]] = {}

    def find_class(self, module: str, name: str) -> Callable[..., Any] | str:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda key, offset, shape, strides, *_: _Tensor(key, offset, shape, strides)
        if module == "torch" and name in _DTYPES:
            return name
        raise pickle.UnpicklingError(f"{module}.{name}: not part of a dictionary of weights")

    def persistent_load(self, stated: Any) -> str:  # noqa: ANN401 - whatever the file says
        _, kind, key, *_ = stated
        self.dtypes[key] = _DTYPES[kind]
        return str(key)


def read_torch_weights(path: Path) -> dict[str, NDArray[np.float32]]:
    """Raises UnpicklingError for another format or for anything but tensors."""
    with path.open("rb") as file:
        if pickle.Unpickler(file).load() != _MAGIC:
            raise pickle.UnpicklingError(f"{path}: expected PyTorch's format from before version 1.6")
        for _ in range(2):
            _Reader(file).load()
        reader = _Reader(file)
        tensors = reader.load()
        storages = {key: _storage(file, reader.dtypes[key]) for key in _Reader(file).load()}
    return {name: _laid(storages[tensor.key], tensor) for name, tensor in tensors.items()}


def _storage(file: BinaryIO, dtype: np.dtype[Any]) -> NDArray[Any]:
    count = int.from_bytes(file.read(8), "little")
    return np.frombuffer(file.read(count * dtype.itemsize), dtype)


def _laid(storage: NDArray[Any], tensor: _Tensor) -> NDArray[np.float32]:
    strides = [stride * storage.itemsize for stride in tensor.strides]
    view = np.lib.stride_tricks.as_strided(storage[tensor.offset :], tensor.shape, strides)
    return np.ascontiguousarray(view, np.float32)
