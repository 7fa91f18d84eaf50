"""Statistics: a float model run on pictures, one at a time, and the values within it counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, helper

from edge_engine.errors import ModelError, one_line
from edge_engine.models.values import inferred_shapes
from edge_engine.quantization.histogram import Histogram
from edge_engine.quantization.layers import Layer, Readers
from edge_engine.quantization.recogniser import open_bytes

# Values of one picture that are held at once: 256 MB. Larger models are run several times per picture.
_AT_ONCE = 1 << 26


def values_to_watch(model: ModelProto, layers: Sequence[Layer]) -> list[str]:
    """Names of what goes into and comes out of the layers, each once, in the graph's order."""
    links = Readers.of(model.graph)
    chosen = {layer.name for layer in layers}
    constants = {tensor.name for tensor in model.graph.initializer}
    shapes = inferred_shapes(model)
    names: dict[str, None] = {}
    for node in model.graph.node:
        if node.name not in chosen:
            continue
        for name in (*node.input, node.output[0], links.rectified(node)):
            is_value = name and name not in constants and len(shapes.get(name, ())) >= 2
            if is_value or name == node.output[0]:
                names[links.source(name)] = None
    picture = {value.name for value in model.graph.input}
    return [name for name in names if name not in picture]


def count_values(
    model: ModelProto,
    watched: Sequence[str],
    pictures: Iterable[NDArray[np.uint8]],
    on_picture: Callable[[int], None],
) -> dict[str, Histogram]:
    """Of each watched value over all pictures, uint8 [1, height, width, 3]. Raises ModelError."""
    shown = ModelProto()
    shown.CopyFrom(model)
    known = {value.name for value in shown.graph.output}
    shown.graph.output.extend(helper.make_empty_tensor_value_info(n) for n in watched if n not in known)
    session = open_bytes(shown)
    name = session.get_inputs()[0].name
    groups = _groups(watched, inferred_shapes(model))
    found = {value: Histogram() for value in watched}
    for number, picture in enumerate(pictures, 1):
        for group in groups:
            for value, array in zip(group, _run(session, group, {name: picture}), strict=True):
                try:
                    found[value].add(np.asarray(array, np.float32))
                except ValueError as error:
                    raise ModelError(f"within the float model, {value}: {error}") from None
        on_picture(number)
    return found


def _run(session: Any, names: Sequence[str], feed: dict[str, Any]) -> Sequence[NDArray[np.generic]]:  # noqa: ANN401
    try:
        found: Sequence[NDArray[np.generic]] = session.run(list(names), feed)
    except Exception as error:  # ONNX Runtime raises a type of its own per status code
        raise ModelError(f"the float model's inference failed: {one_line(error)}") from None
    return found


def _groups(watched: Sequence[str], shapes: dict[str, tuple[int, ...]]) -> list[list[str]]:
    groups: list[list[str]] = [[]]
    room = _AT_ONCE
    for name in watched:
        size = prod(shapes.get(name, (0,)))
        if groups[-1] and size > room:
            groups.append([])
            room = _AT_ONCE
        groups[-1].append(name)
        room -= size
    return groups
