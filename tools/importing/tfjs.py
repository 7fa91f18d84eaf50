"""Reads a TensorFlow.js graph model: its nodes and its weights, as numpy arrays.

The format: model.json holds the graph (a TensorFlow GraphDef as JSON) and a manifest of the weights, which
lie one after the other in the .bin files, float16 or as they are.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Node:
    """One operation. `inputs` are tensor names; `name:1` is an operation's second output."""

    name: str
    op: str
    inputs: tuple[str, ...]
    attributes: dict[str, Any]

    def ints(self, attribute: str) -> list[int]:
        return [int(i) for i in self.attributes[attribute]["list"]["i"]]

    def text(self, attribute: str) -> str:
        return base64.b64decode(self.attributes[attribute]["s"]).decode()


@dataclass(frozen=True)
class Graph:
    """Nodes in an order in which every input is there before it is used; outputs in the file's order."""

    nodes: list[Node]
    weights: dict[str, Array]
    outputs: list[str]


def read_graph(path: Path) -> Graph:
    model = json.loads(path.read_text())
    nodes = {node["name"]: _node(node) for node in model["modelTopology"]["node"]}
    weights = dict(_weights(path.parent, model["weightsManifest"]))
    signature = model["signature"] if "signature" in model else model["userDefinedMetadata"]["signature"]
    outputs = [name.removesuffix(":0") for name in signature["outputs"]]
    return Graph(_sorted(nodes, outputs), weights, outputs)


def _node(node: dict[str, Any]) -> Node:
    inputs = tuple(name.removesuffix(":0") for name in node.get("input", ()) if not name.startswith("^"))
    return Node(node["name"], node["op"], inputs, node.get("attr", {}))


def _weights(folder: Path, manifest: list[dict[str, Any]]) -> Iterator[tuple[str, Array]]:
    for group in manifest:
        data = b"".join((folder / path).read_bytes() for path in group["paths"])
        at = 0
        for weight in group["weights"]:
            stored = np.dtype(weight.get("quantization", {}).get("dtype", weight["dtype"]))
            count = int(np.prod(weight["shape"], dtype=np.int64))
            values = np.frombuffer(data, stored, count, at).reshape(weight["shape"])
            at += values.nbytes
            yield weight["name"], values.astype(weight["dtype"])


def _sorted(nodes: dict[str, Node], outputs: list[str]) -> list[Node]:
    """Depth first from the outputs; what no output needs is left out."""
    done: dict[str, Node] = {}

    def visit(name: str) -> None:
        name = name.partition(":")[0]
        if name not in done:
            for needed in nodes[name].inputs:
                visit(needed)
            done[name] = nodes[name]

    for output in outputs:
        visit(output)
    return list(done.values())
