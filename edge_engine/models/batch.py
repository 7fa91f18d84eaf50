"""Batch: a graph for one picture, made to take any number of them in one inference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto

from edge_engine.errors import ModelError, one_line
from edge_engine.models.constants import constant, scale_instead_of_size, set_constant
from edge_engine.models.session import plain_session, run_once
from edge_engine.models.spec import BATCH_DIMENSION
from edge_engine.models.values import inferred_shapes

_PICTURES = 3
# Kernels may add up in another order for several pictures: this share of an output's largest value.
_TOLERANCE = 1e-3


def take_batches(model: ModelProto, path: Path) -> None:
    """Frees the first dimension of the input and of all outputs, and proves on pictures of noise that each
    gets the answer that it gets alone. Raises ModelError when it doesn't, and for outputs without a fixed
    size, as those of non-maximum suppression in the graph are."""
    session, noise = plain_session(model.SerializeToString()), _noise(model.graph)
    alone = [run_once(session, noise[i : i + 1]) for i in range(_PICTURES)]
    for output, found in zip(session.get_outputs(), alone[0], strict=True):
        if output.shape != list(found.shape):
            raise _refused(path, f"output {output.name} has another size with each picture")
    shapes = inferred_shapes(model)
    for node in model.graph.node:
        if node.op_type == "Reshape":
            _keep_first_dimension(model.graph, node)
        elif node.op_type == "Resize":
            scale_instead_of_size(model.graph, node, shapes)
    del model.graph.value_info[:]
    for value, sides in zip((*model.graph.input, *model.graph.output), (noise, *alone[0]), strict=True):
        dimensions = value.type.tensor_type.shape.dim
        del dimensions[:]
        dimensions.add().dim_param = BATCH_DIMENSION
        for length in sides.shape[1:]:
            dimensions.add().dim_value = length
    try:
        together = run_once(plain_session(model.SerializeToString()), noise)
    except Exception as error:  # ONNX Runtime raises a type of its own per status code
        raise _refused(path, one_line(error)) from None
    for i, of_one in enumerate(alone):
        for name, one, all_of_them in zip(_names(model), of_one, together, strict=True):
            if len(all_of_them) != _PICTURES or not _agree(one[0], all_of_them[i]):
                raise _refused(path, f"output {name} of one depends on the others")


def _refused(path: Path, reason: str) -> ModelError:
    return ModelError(f"{path}: can't take several pictures at once ({reason}); leave out `batch`")


def _names(model: ModelProto) -> list[str]:
    return [output.name for output in model.graph.output]


def _noise(graph: GraphProto) -> NDArray[np.uint8]:
    sides = [d.dim_value for d in graph.input[0].type.tensor_type.shape.dim][1:]
    return np.random.default_rng(0).integers(0, 256, (_PICTURES, *sides), np.uint8)


def _agree(one: NDArray[np.generic], other: NDArray[np.generic]) -> bool:
    limit = _TOLERANCE * max(float(np.abs(one).max(initial=0)), 1e-6)
    return bool(np.allclose(one, other, rtol=_TOLERANCE, atol=limit))


def _keep_first_dimension(graph: GraphProto, node: NodeProto) -> None:
    """A 0 in a Reshape's shape stands for the input's own dimension."""
    shape = constant(graph, node.input[1])
    keeps_zero = any(a.name == "allowzero" and a.i for a in node.attribute)
    if shape is not None and shape.size > 1 and shape[0] == 1 and not keeps_zero:
        set_constant(graph, node, 1, np.concatenate([[0], shape[1:]]).astype(np.int64))
