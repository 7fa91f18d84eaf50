"""Layers: which nodes of a graph can be computed in INT8, and what the values between them share."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import prod

from onnx import GraphProto, ModelProto, NodeProto, TensorProto

from edge_engine.errors import ModelError
from edge_engine.models.constants import constant
from edge_engine.models.values import inferred_shapes

WEIGHTED = ("Conv", "Gemm", "MatMul")
"""Operators with weights: nearly all of the work, and the first to be quantized."""

GROUPS: dict[str, tuple[str, ...]] = {
    "activations": ("Sigmoid", "Mul", "LeakyRelu"),
    "sums": ("Add",),
    "joins": ("Concat", "Resize", "MaxPool", "AveragePool", "GlobalAveragePool"),
}
"""What may be quantized beside them, where it lies before such a layer: operators by what they do."""

# Their output's values are among their input's, or between them: both are quantized alike, so that they can
# work on the quantized values themselves.
_PASSING = {
    *("MaxPool", "Reshape", "Transpose", "Flatten", "Squeeze", "Unsqueeze", "Slice", "Gather", "Split"),
    *("SpaceToDepth", "DepthToSpace", "Identity", "Resize"),
}
_RECTIFIERS = {"Relu", "Clip"}
_FIRST_OPSET = 13  # QuantizeLinear per channel


@dataclass(frozen=True)
class Layer:
    """A node that may be quantized. `group`: a key of GROUPS, or "layers" for those with weights; `macs`:
    its multiply-adds, `moved`: the numbers that it reads and gives; 0 where the shapes don't tell."""

    name: str
    operator: str
    group: str
    macs: int = 0
    moved: int = 0


@dataclass(frozen=True)
class Readers:
    """Who gives and who reads each value; `outputs` are the graph's."""

    givers: dict[str, NodeProto]
    readers: dict[str, list[NodeProto]]
    outputs: frozenset[str]

    @classmethod
    def of(cls, graph: GraphProto) -> Readers:
        readers: dict[str, list[NodeProto]] = {}
        for node in graph.node:
            for name in node.input:
                readers.setdefault(name, []).append(node)
        givers = {name: node for node in graph.node for name in node.output}
        return cls(givers, readers, frozenset(value.name for value in graph.output))

    def source(self, name: str) -> str:
        """The value that this one is a part or a rearrangement of."""
        while name in self.givers and self.givers[name].op_type in _PASSING:
            name = str(self.givers[name].input[0])
        return name

    def rectified(self, node: NodeProto) -> str:
        """What leaves a layer: after its Relu or Clip, which quantizing makes superfluous."""
        name = str(node.output[0])
        following = self.readers.get(name, [])
        if len(following) == 1 and name not in self.outputs and following[0].op_type in _RECTIFIERS:
            return str(following[0].output[0])
        return name


def prepare(model: ModelProto) -> None:
    """Gives every node a name of its own. Raises ModelError for what can't be quantized."""
    counts = Counter(node.op_type for node in model.graph.node)
    if counts["QuantizeLinear"] + counts["QLinearConv"] + counts["ConvInteger"]:
        raise ModelError("it is quantized already: give the float model that it was made of")
    opset = next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx"))
    if opset < _FIRST_OPSET:
        raise ModelError(f"its opset {opset} can't be raised to {_FIRST_OPSET}: export it with a newer one")
    halves = sum(tensor.data_type == TensorProto.FLOAT16 for tensor in model.graph.initializer)
    if halves:
        raise ModelError(f"{halves} of its weights are float16: export the model in float32")
    taken: set[str] = set()
    for i, node in enumerate(model.graph.node):
        if not node.name or node.name in taken:
            node.name = f"{node.op_type}_{i}"
        taken.add(node.name)


def find_layers(model: ModelProto) -> list[Layer]:
    """In the graph's order; ModelError when nothing in it has weights that can be quantized."""
    graph, links = model.graph, Readers.of(model.graph)
    shapes = inferred_shapes(model)
    constants = _constants(graph)
    weighted = [node for node in graph.node if _is_weighted(graph, node, constants)]
    if not weighted:
        raise ModelError("it has no convolution or matrix product whose weights are constant")
    before = _lying_before(weighted, links)
    chosen = {node.name for node in weighted}
    found = []
    for node in graph.node:
        if node.name in chosen:
            moved = sum(prod(shapes.get(name, (0,))) for name in (node.input[0], node.output[0]))
            found.append(Layer(node.name, node.op_type, "layers", _macs(graph, node, shapes), moved))
            continue
        group = next((name for name, operators in GROUPS.items() if node.op_type in operators), None)
        if group is not None and node.name in before and _is_float(node, shapes, constants):
            found.append(Layer(node.name, node.op_type, group))
    return found


def _is_weighted(graph: GraphProto, node: NodeProto, constants: set[str]) -> bool:
    if node.op_type not in WEIGHTED or node.input[1] not in constants:
        return False
    bias = node.input[2] if len(node.input) > 2 else ""
    if bias and bias not in constants:
        return False
    if node.op_type == "Conv":
        return True
    weights = constant(graph, node.input[1])
    is_plain = all(a.name == "transB" or a.f == 1 for a in node.attribute)  # Gemm's alpha and beta
    return weights is not None and weights.ndim == 2 and is_plain


def _constants(graph: GraphProto) -> set[str]:
    named = {tensor.name for tensor in graph.initializer if tensor.data_type == TensorProto.FLOAT}
    return named | {name for node in graph.node if node.op_type == "Constant" for name in node.output}


def _lying_before(weighted: list[NodeProto], links: Readers) -> set[str]:
    """Names of all nodes from which a layer with weights can be reached: not what decodes its answer."""
    found: set[str] = set()
    waiting = [name for node in weighted for name in node.input]
    while waiting:
        node = links.givers.get(waiting.pop())
        if node is not None and node.name not in found:
            found.add(node.name)
            waiting += node.input
    return found


def _is_float(node: NodeProto, shapes: dict[str, tuple[int, ...]], constants: set[str]) -> bool:
    """All that it computes with are pictures of features, or constants."""
    computed = node.input if node.op_type in ("Concat", "Add", "Mul") else node.input[:1]
    return all(name in constants or len(shapes.get(name, ())) >= 2 for name in computed)


def _macs(graph: GraphProto, node: NodeProto, shapes: dict[str, tuple[int, ...]]) -> int:
    weights = next((t.dims for t in graph.initializer if t.name == node.input[1]), ())
    places = prod(shapes.get(node.output[0], (0,)))
    if node.op_type == "Conv":
        return int(places * prod(weights[1:]))
    first = shapes.get(node.input[0], (0,))
    return int(places * first[-1])


def followers(graph: GraphProto, quantized: set[str], candidates: set[str]) -> set[str]:
    """Of the candidates those that compute with quantized values alone: of the layers that are `quantized`,
    of other followers, and constants."""
    constants = _constants(graph)
    links = Readers.of(graph)
    held = {links.rectified(node) for node in graph.node if node.name in quantized and node.op_type == "Conv"}
    found = set()
    for node in graph.node:
        if node.name in candidates:
            computed = node.input if node.op_type in ("Concat", "Add", "Mul") else node.input[:1]
            if all(name in constants or links.source(name) in held for name in computed):
                found.add(node.name)
                held.add(links.rectified(node))
    return found
