"""Side inputs: what exporters ask for besides the picture, turned into constants.

They tell post-processing inside a graph how large the camera's picture is. Told the size of the model's own
input instead, it gives boxes in that input's pixels, as models without post-processing do.

Facts, by the projects' export scripts: `orig_target_sizes` (RT-DETR, D-FINE, DEIM) is width, height, as
boxes x, y, x, y are multiplied by it; `target_sizes` (DETR) is height, width. `im_shape` is height, width of
the input and `scale_factor` its size by the picture's (PaddleDetection; its older `im_size` and `im_info`
likewise). `image_shape` is height, width (keras2onnx's YOLOv3). `pixel_mask` is 1 where the input shows the
picture and 0 where it is padded (Hugging Face's DETR).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, TensorProto, ValueInfoProto, helper, numpy_helper

from edge_engine.errors import ModelError
from edge_engine.models.values import shape_of

_VALUES = {
    "orig_target_sizes": "wh",
    "target_sizes": "hw",
    "im_shape": "hw",
    "im_size": "hw",
    "im_info": "hw1",
    "image_shape": "hw",
    "scale_factor": "11",
}
"""Of each known side input the values in their order: w(idth), h(eight) or 1."""
_MASK = "pixel_mask"


def put_picture_first(path: Path, graph: GraphProto) -> None:
    """The picture becomes the first input. Raises ModelError when no input, or more than one, can be it, and
    when one of the others isn't known."""
    if len(graph.input) == 1:
        return  # whatever is wrong with it is told by who reads its layout
    pictures = [value for value in graph.input if 3 in _channels(value)]
    pictures = pictures or [value for value in graph.input if 0 in _channels(value)]
    if len(pictures) != 1:
        found = ", ".join(map(_told, graph.input)) or "none"
        raise ModelError(
            f"{path}: expected one input [1, 3, height, width], a picture; its inputs are {found}"
        )
    (picture,) = pictures
    for value in graph.input:
        if value.name != picture.name and _plain(value) not in (*_VALUES, _MASK):
            known = ", ".join([*_VALUES, _MASK])
            raise ModelError(
                f"{path}: has an input {_told(value)} besides the picture {picture.name}, and no value is "
                f"known for it (only for {known}); export the model with it as a constant"
            )
    ordered = [picture, *(value for value in graph.input if value.name != picture.name)]
    copies = [ValueInfoProto.FromString(value.SerializeToString()) for value in ordered]
    del graph.input[:]
    graph.input.extend(copies)


def fix_side_inputs(path: Path, graph: GraphProto, size: tuple[int, int]) -> list[str]:
    """All inputs but the first become constants, and what was done, a line each. `size`: width and height of
    the first, the picture. Raises ModelError when one has another shape than its values."""
    changes = []
    for value in list(graph.input)[1:]:
        values = _values(path, value, size)
        graph.initializer.append(numpy_helper.from_array(values, value.name))
        graph.input.remove(value)
        shown = "ones" if _plain(value) == _MASK else values.tolist()
        changes.append(f"side input {_told(value)} became the constant {shown}")
    if changes:
        del graph.value_info[:]
    return changes


def _values(path: Path, value: ValueInfoProto, size: tuple[int, int]) -> NDArray[np.generic]:
    width, height = size
    dtype = helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
    shape = shape_of(value)
    if _plain(value) == _MASK:
        if len(shape) == 3 and shape[0] < 2:
            return np.ones([1, shape[1] or height, shape[2] or width], dtype)
        raise ModelError(f"{path}: its input {_told(value)} should be a mask [1, height, width]")
    one_picture = {"w": width, "h": height, "1": 1}
    values = np.array([one_picture[letter] for letter in _VALUES[_plain(value)]], dtype)
    fits = len(shape) in (1, 2) and shape[-1] in (0, values.size) and all(n < 2 for n in shape[:-1])
    if not fits:
        raise ModelError(f"{path}: its input {_told(value)} should have the shape [1, {values.size}]")
    return values.reshape([1] * (len(shape) - 1) + [-1])


def _channels(value: ValueInfoProto) -> tuple[int, ...]:
    """Where a picture would have its channels; a dimension that isn't fixed is 0."""
    shape = shape_of(value)
    return (shape[1], shape[3]) if len(shape) == 4 else ()


def _plain(value: ValueInfoProto) -> str:
    """TensorFlow's names end in the number of an output."""
    return str(value.name).removesuffix(":0").lower()


def _told(value: ValueInfoProto) -> str:
    kind = TensorProto.DataType.Name(value.type.tensor_type.elem_type).lower()
    dimensions = value.type.tensor_type.shape.dim
    shape = ", ".join(str(d.dim_value) if d.HasField("dim_value") else d.dim_param or "?" for d in dimensions)
    return f"{value.name} {kind} [{shape}]"
