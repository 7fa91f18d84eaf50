"""Graph surgery: what exporters leave behind is put right, and the input becomes uint8 pixels.

    python -m edge_engine.models.graph [--batched] [--aspect 16x9] [--labels JSON] MODEL REPAIRED

Writes the repaired model (batched: one for any number of pictures at once; aspect: one without the padding
around pictures of that shape) and prints a JSON list of what was changed, or ends with 2 and one line. It
runs in a process of its own, which a bad file may end, and because onnx would stay in memory; what it has
written was run once.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import msgspec
import onnx
from msgspec.structs import replace
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, version_converter

from edge_engine.errors import EdgeEngineError, ModelError, one_line
from edge_engine.models.affine import Affine, absorb, fold_into_convolution
from edge_engine.models.batch import take_batches
from edge_engine.models.external import bytes_of
from edge_engine.models.families import load_family
from edge_engine.models.limits import limit_this_process
from edge_engine.models.looking import layout_of, look_at
from edge_engine.models.narrow import narrow
from edge_engine.models.proof import prove
from edge_engine.models.providers import import_runtime
from edge_engine.models.reading import Reading, read_model
from edge_engine.models.session import plain_options
from edge_engine.models.side_inputs import fix_side_inputs, put_picture_first
from edge_engine.models.spec import METADATA_KEY, InputSpec, ModelSpec
from edge_engine.models.values import metadata_of

_OPSET = 17
_FIRST_OPSET_OF_COORDINATES = 11
_FLOATS = {TensorProto.FLOAT, TensorProto.FLOAT16}
_WHOLE = {TensorProto.INT32, TensorProto.INT64}
_PIXELS = "pixels"


def repair(
    path: Path,
    *,
    is_batched: bool = False,
    aspect: tuple[int, int] | None = None,
    picture: InputSpec | None = None,
    labels: tuple[str, ...] = (),
) -> tuple[ModelProto, list[str]]:
    """The model of a file, repaired, and what was changed, a line each. Raises ModelError.

    `picture`: how its input is to be read, `labels`: what its classes are called, in place of what it says
    itself. `aspect`: width and height of the pictures, in any unit, whose letterbox loses its padding.
    """
    model = load(path)
    try:
        changes = _drop_inputs_that_are_weights(model.graph)
        spec = _read(path, model, labels).spec
        spec = replace(spec, input=picture or spec.input)
        changes += _fix_shapes(model.graph, spec)
        changes += fix_side_inputs(path, model.graph, (spec.input.width, spec.input.height))
        model, raised = _raise_opset(model)
        changes += raised
        spec, taken = _take_pixels(model.graph, spec)
        changes += taken
        changes += _drop_outputs_that_nobody_reads(model, spec)
        nodes = len(model.graph.node)
        model = _optimised(model)
        if aspect is not None:
            spec = narrow(model, path, spec, aspect)
        if is_batched:
            take_batches(model, path)
    except ModelError:
        raise
    except Exception as error:  # onnx, protobuf and ONNX Runtime raise what they like
        raise ModelError(f"{path}: its graph can't be repaired: {one_line(error)}") from None
    if len(model.graph.node) < nodes:
        changes.append(f"constants folded, {nodes} nodes became {len(model.graph.node)}")
    write_spec(model, spec)
    return model, changes


def read(path: Path, labels: tuple[str, ...] = ()) -> Reading:
    """What a file is, and where each fact comes from; `labels` stand in place of its own. ModelError."""
    model = load(path)
    _drop_inputs_that_are_weights(model.graph)
    return _read(path, model, labels)


def _read(path: Path, model: ModelProto, labels: tuple[str, ...]) -> Reading:
    put_picture_first(path, model.graph)
    layout = layout_of(path, model.graph.input[0])
    return read_model(path, metadata_of(model), layout, partial(look_at, path, model, layout), labels)


def write_spec(model: ModelProto, spec: ModelSpec) -> None:
    """Into the metadata, beside what else is there."""
    helper.set_model_props(model, metadata_of(model) | {METADATA_KEY: msgspec.json.encode(spec).decode()})


def load(path: Path) -> ModelProto:
    try:
        model = onnx.load(path)
    except Exception as error:  # protobuf's own, or an OSError of a file with weights beside it
        raise ModelError(f"{path}: not a model that can be loaded: {one_line(error)}") from None
    if not model.graph.node:
        raise ModelError(f"{path}: not an ONNX model: it has no graph")
    if not any(opset.domain in ("", "ai.onnx") for opset in model.opset_import):
        raise ModelError(f"{path}: doesn't say which opset of ONNX's operators it is for; export it again")
    return model


def _drop_inputs_that_are_weights(graph: GraphProto) -> list[str]:
    """Weights that are inputs too could be overridden at run time, so nothing can be folded into them."""
    weights = {tensor.name for tensor in graph.initializer}
    listed = [value for value in graph.input if value.name in weights]
    for value in listed:
        graph.input.remove(value)
    return [f"{len(listed)} weights were listed as inputs"] if listed else []


def _fix_shapes(graph: GraphProto, spec: ModelSpec) -> list[str]:
    """One picture of the spec's size: what is known can be planned for and folded."""
    size = [spec.input.height, spec.input.width]
    expected = [1, *size, 3] if spec.input.layout == "NHWC" else [1, 3, *size]
    dimensions = graph.input[0].type.tensor_type.shape.dim
    free = [d.dim_param or "?" for d in dimensions if not d.HasField("dim_value")]
    for dimension, length in zip(dimensions, expected, strict=True):
        if dimension.HasField("dim_value") and dimension.dim_value not in (length, 0, -1):
            found = [d.dim_value for d in dimensions]
            raise ModelError(f"model {spec.name}: its metadata says input {expected}, its graph has {found}")
        dimension.dim_value = length
    if free:
        del graph.value_info[:]
    return [f"free dimensions {', '.join(free)} of the input became {expected}"] if free else []


def _raise_opset(model: ModelProto) -> tuple[ModelProto, list[str]]:
    """Newer opsets have what later steps need, such as quantization per channel from 13 on."""
    (version,) = [opset.version for opset in model.opset_import if opset.domain in ("", "ai.onnx")]
    if version >= 13:
        return model, []
    try:
        raised = version_converter.convert_version(model, _OPSET)
    except Exception as error:  # the converter doesn't know every operator: the model runs as it is
        return model, [f"opset {version} stays: {one_line(error, 80)}"]
    if version < _FIRST_OPSET_OF_COORDINATES:
        _keep_coordinates(raised.graph)
    return raised, [f"opset {version} became {_OPSET}"]


def _keep_coordinates(graph: GraphProto) -> None:
    """The converter leaves Resize, once Upsample, the new default of where pixels lie, half a cell off."""
    for node in graph.node:
        known = {attribute.name for attribute in node.attribute}
        if node.op_type == "Resize" and "coordinate_transformation_mode" not in known:
            node.attribute.append(helper.make_attribute("coordinate_transformation_mode", "asymmetric"))
            node.attribute.append(helper.make_attribute("nearest_mode", "floor"))


def _take_pixels(graph: GraphProto, spec: ModelSpec) -> tuple[ModelSpec, list[str]]:
    """uint8 NHWC in, as a resized picture is; the normalisation goes into the first convolution."""
    picture, value = spec.input, graph.input[0]
    kind = value.type.tensor_type.elem_type
    if picture.dtype == "uint8" and picture.layout == "NHWC":
        return spec, []
    if kind not in _FLOATS | _WHOLE:
        found = TensorProto.DataType.Name(kind)
        raise ModelError(f"model {spec.name}: takes {found}; expected float, int32 or uint8 pixels")
    is_nchw = picture.layout == "NCHW"
    normalising = Affine.normalising(picture.mean, picture.std)
    if kind in _WHOLE:  # as they are: what normalises them comes after a Cast of the graph's own
        if not normalising.is_identity:
            raise ModelError(f"model {spec.name}: takes whole numbers; expected mean 0 and std 1")
        total, absorbed, last = normalising, 0, value.name
    else:
        total, absorbed, last = absorb(graph, value.name, normalising, is_nchw)
    name, old = _unused(graph, _PIXELS), value.name
    value.CopyFrom(
        helper.make_tensor_value_info(name, TensorProto.UINT8, [1, picture.height, picture.width, 3])
    )
    nodes = []
    if is_nchw:
        nodes.append(helper.make_node("Transpose", [name], [f"{name}_nchw"], perm=[0, 3, 1, 2]))
        name = f"{name}_nchw"
    nodes.append(helper.make_node("Cast", [name], [f"{name}_float"], to=kind))
    name = f"{name}_float"
    left = fold_into_convolution(graph, last, total) if is_nchw else total
    more, name = left.nodes(name, kind, is_nchw)
    nodes += _with_constants(graph, more)
    _rename_reads(graph, last, name)
    for node in reversed(nodes):
        graph.node.insert(0, node)
    done = f"{picture.dtype} {picture.layout} input {old} became uint8 NHWC pixels"
    folded = (
        ""
        if total.is_identity
        else ", normalisation "
        + ("folded into the first convolution" if left.is_identity else "partly within the graph")
    )
    plain = replace(picture, dtype="uint8", layout="NHWC", mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    own = [f"{absorbed} normalising nodes absorbed"] if absorbed else []
    return replace(spec, input=plain), [done + folded, *own]


def _unused(graph: GraphProto, name: str) -> str:
    """A name that nothing in the graph begins with."""
    taken = {other for node in graph.node for other in (*node.input, *node.output)}
    while any(other.startswith(name) for other in taken):
        name = f"_{name}"
    return name


def _with_constants(graph: GraphProto, parts: Iterable[NodeProto | TensorProto]) -> list[NodeProto]:
    nodes = []
    for part in parts:
        if isinstance(part, TensorProto):
            graph.initializer.append(part)
        else:
            nodes.append(part)
    return nodes


def _rename_reads(graph: GraphProto, old: str, new: str) -> None:
    for node in graph.node:
        for i, name in enumerate(node.input):
            if name == old:
                node.input[i] = new


def _drop_outputs_that_nobody_reads(model: ModelProto, spec: ModelSpec) -> list[str]:
    """And, when the constants are folded, whatever only they needed."""
    inferred = onnx.shape_inference.infer_shapes(model)
    shapes = {
        value.name: tuple(d.dim_value for d in value.type.tensor_type.shape.dim)
        for value in inferred.graph.output
    }
    if not all(all(shape) for shape in shapes.values()):
        return []  # their shapes show only when they are computed
    read = load_family(spec.family).reads(spec, shapes)
    dead = [value for value in model.graph.output if value.name not in read]
    for value in dead:
        model.graph.output.remove(value)
    return [f"outputs that nobody reads: {', '.join(value.name for value in dead)}"] if dead else []


def _optimised(model: ModelProto) -> ModelProto:
    """ONNX Runtime's basic level, which holds on every device: folds constants, drops what leads nowhere."""
    runtime = import_runtime()
    with tempfile.TemporaryDirectory(prefix="edge-engine-") as folder:
        path = Path(folder) / "optimised.onnx"
        options = plain_options()
        options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(path)
        runtime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        optimised = onnx.load(path)
    used = {node.domain for node in optimised.graph.node}
    kept = [opset for opset in optimised.opset_import if opset.domain in used | {""}]
    del optimised.opset_import[:]
    optimised.opset_import.extend(kept)
    return optimised


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--batched", action="store_true")
    parser.add_argument("--aspect", type=_size)
    parser.add_argument("--labels", type=_labels, default=())
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    given = parser.parse_args()
    # That a changed graph gives what the model gives takes some inferences to see.
    patience = 4 if given.batched or given.aspect else 1
    limit_this_process(given.source.stat().st_size, patience)
    answer = os.dup(1)
    os.dup2(2, 1)  # what native libraries print isn't the answer
    try:
        limit_this_process(bytes_of(given.source), patience)
        model, changes = repair(
            given.source, is_batched=given.batched, aspect=given.aspect, labels=given.labels
        )
        onnx.save(model, given.target)
        prove(given.source, given.target, is_batched=given.batched)
    except EdgeEngineError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
    os.write(answer, msgspec.json.encode(changes))


def _labels(text: str) -> tuple[str, ...]:
    return msgspec.json.decode(text, type=tuple[str, ...])


def _size(text: str) -> tuple[int, int]:
    width, height = map(int, text.split("x"))
    return width, height


if __name__ == "__main__":
    main()
