"""Graph: a model file's shapes, weights and cost, counted without running it."""

from __future__ import annotations

from math import prod

from onnx import ModelProto, NodeProto, ValueInfoProto, helper

from edge_engine.inspection.report import Graph, Tensor
from edge_engine.models.values import inferred_shapes

Shapes = dict[str, tuple[int, ...]]


def describe_graph(model: ModelProto, fixed: ModelProto) -> Graph:
    """Of a file as it came, and of the same with its dimensions fixed, which tells the cost."""
    opset = next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), 0)
    weights = {tensor.name for tensor in model.graph.initializer}
    return Graph(
        opset=opset,
        producer=f"{model.producer_name} {model.producer_version}".strip(),
        inputs=[_tensor(value) for value in model.graph.input if value.name not in weights],
        outputs=[_tensor(value) for value in model.graph.output],
        nodes=len(model.graph.node),
        parameters=sum(prod(tensor.dims) for tensor in model.graph.initializer),
        gmacs=_gmacs(fixed),
    )


def _tensor(value: ValueInfoProto) -> Tensor:
    kind = value.type.tensor_type
    shape = [d.dim_value if d.HasField("dim_value") else d.dim_param or "?" for d in kind.shape.dim]
    return Tensor(value.name, str(helper.tensor_dtype_to_np_dtype(kind.elem_type)), shape)


def _gmacs(model: ModelProto) -> float | None:
    graph = model.graph
    shapes: Shapes = inferred_shapes(model) | {
        tensor.name: tuple(tensor.dims) for tensor in graph.initializer
    }
    total = 0
    for node in graph.node:
        macs = _macs(node, shapes)
        if macs is None:
            return None
        total += macs
    return total / 1e9


def _macs(node: NodeProto, shapes: Shapes) -> int | None:
    """0 for what isn't counted; None where a shape isn't known."""
    if node.op_type not in ("Conv", "ConvTranspose", "Gemm", "MatMul"):
        return 0
    first, second, out = (shapes.get(name, ()) for name in (*node.input[:2], node.output[0]))
    if not (all((first, second, out)) and all((*first, *second, *out))):
        return None
    if node.op_type == "Conv":
        return prod(out) * prod(second[1:])
    if node.op_type == "ConvTranspose":
        return prod(first) * prod(second[1:])
    if node.op_type == "Gemm":
        turned = next((a.i for a in node.attribute if a.name == "transA"), 0)
        return prod(out) * first[0 if turned else 1]
    return prod(out) * first[-1]
