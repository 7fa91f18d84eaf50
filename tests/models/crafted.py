"""Model files that were made to do harm, each written into a folder: name, and what writes it."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from tests.models.exported import exported

Craft = Callable[[Path], Path]
FOREVER = np.iinfo(np.int64).max
_PASSWD = "../../../../../../../../etc/passwd"


def _good(folder: Path) -> Path:
    return exported(folder / "model.onnx")


def _edited(edit: Callable[[ModelProto], None]) -> Craft:
    """A working detector after one edit."""

    def craft(folder: Path) -> Path:
        path = _good(folder)
        model = onnx.load(path)
        edit(model)
        path.write_bytes(model.SerializeToString())
        return path

    return craft


def _before_the_end(*nodes: NodeProto, **constants: object) -> Craft:
    """With nodes between the features, called `in`, and the reshaping of `out`."""

    def edit(model: ModelProto) -> None:
        graph = model.graph
        for name, value in constants.items():
            graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))
        _put(graph, nodes)

    return _edited(edit)


def _put(graph: GraphProto, nodes: tuple[NodeProto, ...]) -> None:
    at = next(i for i, node in enumerate(graph.node) if node.op_type == "Reshape")
    graph.node[at].input[0] = "out"
    for node in reversed(nodes):
        copy = NodeProto.FromString(node.SerializeToString())
        for i, name in enumerate(copy.input):
            copy.input[i] = {"in": "same"}.get(name, name)
        graph.node.insert(at, copy)


def _loop(carried: str, out: str) -> NodeProto:
    """Trips `trips`, condition `go`, and a body that adds to what it carries and always goes on."""
    value = helper.make_tensor_value_info
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go_in"], ["go_out"]),
            helper.make_node("Add", ["carried", "carried"], ["more"]),
        ],
        "body",
        [value("i", TensorProto.INT64, []), value("go_in", TensorProto.BOOL, []), value("carried", 1, None)],
        [value("go_out", TensorProto.BOOL, []), value("more", 1, None)],
    )
    return helper.make_node("Loop", ["trips", "go", carried], [out], body=body)


def _endless(*, is_constant: bool) -> Craft:
    """Of the picture's features, or of constants alone, which whoever folds constants runs into."""
    last = helper.make_node("Add", ["in", "looped"], ["out"])
    return _before_the_end(
        _loop("zero" if is_constant else "in", "looped"),
        last,
        trips=np.int64(FOREVER),
        go=np.array(True),
        zero=np.zeros(1, np.float32),
    )


def _nested(model: ModelProto, depth: int = 25) -> None:
    """If within If within If."""
    value = helper.make_tensor_value_info("inner", 1, None)
    body = helper.make_graph([helper.make_node("Identity", ["same"], ["inner"])], "g", [], [value])
    for _ in range(depth):
        node = helper.make_node("If", ["yes"], ["inner"], then_branch=body, else_branch=body)
        body = helper.make_graph([node], "g", [], [value])
        body.node[0].attribute[1].g.CopyFrom(
            helper.make_graph([helper.make_node("Identity", ["same"], ["inner"])], "e", [], [value])
        )
    model.graph.initializer.append(numpy_helper.from_array(np.array(True), "yes"))
    _put(model.graph, (helper.make_node("If", ["yes"], ["out"], then_branch=body, else_branch=body),))


def _deep_message(folder: Path) -> Path:
    """Protocol buffers within each other, deeper than any parser goes: field 7 of field 7 …"""
    data = b""
    for _ in range(20_000):
        size, tag = len(data), b"\x3a"
        length = bytearray()
        while size > 127:
            length.append(size & 127 | 128)
            size >>= 7
        length.append(size)
        data = tag + bytes(length) + data
    (folder / "model.onnx").write_bytes(b"\x08\x08" + data)
    return folder / "model.onnx"


def _chain(model: ModelProto) -> None:
    names = ["in", *(f"link_{i}" for i in range(1_999)), "out"]
    nodes = (helper.make_node("Relu", [a], [b]) for a, b in pairwise(names))
    _put(model.graph, tuple(nodes))


def _cycle(model: ModelProto) -> None:
    _put(
        model.graph,
        (helper.make_node("Identity", ["b"], ["out"]), helper.make_node("Identity", ["out"], ["b"])),
    )


def _mover_cycle_at_the_end(model: ModelProto) -> None:
    (last,) = [node for node in model.graph.node if "output0" in node.output]
    last.op_type = "Identity"
    last.input[:] = ["a"]
    model.graph.node.append(helper.make_node("Identity", ["output0"], ["a"]))
    del model.metadata_props[:]


def _twice(model: ModelProto) -> None:
    model.graph.node.append(model.graph.node[0])


def _external(location: str, offset: int = 0, length: int | None = None) -> Craft:
    def edit(model: ModelProto) -> None:
        (tensor,) = [tensor for tensor in model.graph.initializer if tensor.name == "weights"]
        tensor.data_location = TensorProto.EXTERNAL
        size = len(tensor.raw_data) if length is None else length
        tensor.ClearField("raw_data")
        for key, value in (("location", location), ("offset", offset), ("length", size)):
            tensor.external_data.add(key=key, value=str(value))

    return _edited(edit)


def _beside(make: Callable[[Path], object], **terms: int) -> Craft:
    """External data in `weights.bin`, which `make` puts there."""

    def craft(folder: Path) -> Path:
        make(folder / "weights.bin")
        return _external("weights.bin", **terms)(folder)

    return craft


def _declaring(dims: list[int], **fields: object) -> Craft:
    """The convolution's weights say that they have these dimensions."""

    def edit(model: ModelProto) -> None:
        (tensor,) = [tensor for tensor in model.graph.initializer if tensor.name == "weights"]
        tensor.dims[:] = dims
        for name, value in fields.items():
            setattr(tensor, name, value)

    return _edited(edit)


def _input(dims: list[int | str], kind: int = TensorProto.FLOAT, *, is_told: bool = True) -> Craft:
    def edit(model: ModelProto) -> None:
        model.graph.input[0].CopyFrom(helper.make_tensor_value_info("images", kind, dims))
        if not is_told:
            del model.metadata_props[:]

    return _edited(edit)


def _output(dims: list[int | str] | None, kind: int = TensorProto.FLOAT) -> Craft:
    def edit(model: ModelProto) -> None:
        model.graph.output[0].CopyFrom(helper.make_tensor_value_info("output0", kind, dims))

    return _edited(edit)


def _all_free(model: ModelProto) -> None:
    for value in (*model.graph.input, *model.graph.output):
        for dimension in value.type.tensor_type.shape.dim:
            dimension.dim_param = "x"


def _metadata(value: str, key: str = "edge_engine", **others: str) -> Craft:
    def edit(model: ModelProto) -> None:
        del model.metadata_props[:]
        helper.set_model_props(model, {key: value, **others})

    return _edited(edit)


def _spec(old: str, new: str) -> Craft:
    """The file's own metadata with something else in it."""

    def edit(model: ModelProto) -> None:
        (entry,) = model.metadata_props
        assert old in entry.value
        entry.value = entry.value.replace(old, new)

    return _edited(edit)


def _invalid_utf8(folder: Path) -> Path:
    path = _good(folder)
    path.write_bytes(path.read_bytes().replace(b"images", b"im\xff\xfees").replace(b"person", b"pers\xc3n"))
    return path


def _set(**fields: int | str) -> Craft:
    return _edited(lambda model: [setattr(model, name, value) for name, value in fields.items()] and None)


def _opset(version: int, domain: str = "") -> Craft:
    def edit(model: ModelProto) -> None:
        model.opset_import[0].version = version
        model.opset_import[0].domain = domain

    return _edited(edit)


def _operator(name: str, domain: str = "") -> Craft:
    def edit(model: ModelProto) -> None:
        model.graph.node[0].op_type, model.graph.node[0].domain = name, domain

    return _edited(edit)


def _sparse(model: ModelProto) -> None:
    sparse = model.graph.sparse_initializer.add(dims=[7, 3, 10, 1 << 40])
    sparse.values.CopyFrom(numpy_helper.from_array(np.ones(2, np.float32), "weights"))
    sparse.indices.CopyFrom(numpy_helper.from_array(np.array([0, 1 << 50]), "at"))


def _strings(model: ModelProto) -> None:
    (tensor,) = [tensor for tensor in model.graph.initializer if tensor.name == "weights"]
    tensor.CopyFrom(helper.make_tensor("weights", TensorProto.STRING, [7, 3, 10, 10], [b"x"] * 2100))


def _named(name: str) -> Craft:
    def edit(model: ModelProto) -> None:
        model.graph.output[0].name = name
        for node in model.graph.node:
            node.output[:] = [name if output == "output0" else output for output in node.output]

    return _edited(edit)


def _file(data: bytes, name: str = "model.onnx") -> Craft:
    def craft(folder: Path) -> Path:
        (folder / name).write_bytes(data)
        return folder / name

    return craft


def _made(make: Callable[[Path], object]) -> Craft:
    def craft(folder: Path) -> Path:
        make(folder / "model.onnx")
        return folder / "model.onnx"

    return craft


def _sized(size: int, head: bytes = b"") -> Craft:
    """A file that has this size without taking it on the disk."""

    def make(path: Path) -> None:
        path.write_bytes(head)
        os.truncate(path, size)

    return _made(make)


def _with_sidecar(text: str) -> Craft:
    def craft(folder: Path) -> Path:
        path = _edited(lambda model: model.ClearField("metadata_props"))(folder)
        path.with_suffix(".yaml").write_text(text)
        return path

    return craft


def _constant(node: str, *inputs: str, **constants: object) -> Craft:
    """Something made of constants, added to the features."""
    maker = helper.make_node(node, list(inputs), ["made"])
    return _before_the_end(
        maker,
        helper.make_node("ReduceMax", ["made"], ["least"], keepdims=0),
        helper.make_node("Add", ["in", "least"], ["out"]),
        **constants,
    )


_HUGE = np.array([1 << 14, 1 << 21])  # 34 thousand million values
_LAUGHS = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nlabels: [*c, *c]\n"

FILES: dict[str, Craft] = {
    "an empty file": _file(b""),
    "a folder": _made(Path.mkdir),
    "a pipe": _made(os.mkfifo),
    "a device": _made(lambda path: path.symlink_to("/dev/zero")),
    "nothing at all": lambda folder: folder / "none.onnx",
    "a link to itself": _made(lambda path: path.symlink_to(path)),
    "a name too long": lambda folder: folder / ("x" * 300 + ".onnx"),
    "3 GB of zeros": _sized(3_000_000_000),
    "1.9 GB of zeros": _sized(1_900_000_000),
    "1.9 GB of fields": _sized(1_900_000_000, b"\x08\x08" * 9),
    "text": _file(b"hello, this is no model\n" * 50),
    "a web page": _file(b"<!DOCTYPE html><html>404</html>"),
    "a TFLite model": _file(b"\x1c\x00\x00\x00TFL3" + bytes(200)),
    "a Git LFS pointer": _file(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 4\n"),
    "a PyTorch file": _file(b"PK\x03\x04" + bytes(100)),
    "a sidecar that isn't YAML": _with_sidecar("labels: [a, b\n{"),
    "a sidecar that laughs": _with_sidecar(_LAUGHS),
    "a sidecar of 2 MB": _with_sidecar("labels: [" + "a, " * 700_000 + "]"),
    "labels from a device": _with_sidecar("labels_file: /dev/zero"),
    "a sidecar of many levels": _with_sidecar("labels: " + "[" * 5_000),
}
"""What isn't an ONNX file, and what lies beside one."""

GRAPHS: dict[str, Craft] = {
    "an endless loop": _endless(is_constant=False),
    "an endless loop of constants": _endless(is_constant=True),
    "NaN outputs": _before_the_end(helper.make_node("Mul", ["in", "nan"], ["out"]), nan=np.float32(np.nan)),
    "infinite outputs": _before_the_end(helper.make_node("Div", ["in", "nil"], ["out"]), nil=np.float32(0)),
    "messages within messages": _deep_message,
    "a cycle": _edited(_cycle),
    "a cycle of movers": _edited(_mover_cycle_at_the_end),
    "a name given twice": _edited(_twice),
    "100 GB by ConstantOfShape": _constant("ConstantOfShape", "huge", huge=_HUGE),
    "100 GB by Expand": _constant("Expand", "cell", "huge", cell=np.ones(1, np.float32), huge=_HUGE),
    "100 GB by Tile": _constant("Tile", "line", "huge", line=np.ones((1, 1), np.float32), huge=_HUGE),
    "100 GB by Range": _constant(
        "Range", "from", "to", "by", **{"from": np.float32(0), "to": np.float32(3e10), "by": np.float32(1)}
    ),
    "a Resize to 100 GB": _before_the_end(
        helper.make_node("Resize", ["in", "", "scales"], ["out"]),
        scales=np.array([1, 1, 1e5, 1e5], np.float32),
    ),
    "weights that say they are 100 GB": _declaring([7, 3, 10, 1 << 27]),
    "weights of negative size": _declaring([7, 3, -10, -10]),
    "weights whose size overflows": _declaring([1 << 32, 1 << 32, 3, 10]),
    "weights of no size": _declaring([7, 3, 0, 10]),
    "weights of no type": _declaring([7, 3, 10, 10], data_type=0),
    "weights of an unknown type": _declaring([7, 3, 10, 10], data_type=77),
    "weights of doubles": _declaring([7, 3, 10, 10], data_type=TensorProto.DOUBLE),
    "sparse weights out of range": _edited(_sparse),
    "weights of text": _edited(_strings),
    "an input of rank 3": _input([1, 3, 64]),
    "an input of rank 0": _input([]),
    "an input of integers": _input([1, 3, 64, 64], TensorProto.INT64),
    "an input of text": _input([1, 3, 64, 64], TensorProto.STRING),
    "an input of an unknown type": _input([1, 3, 64, 64], 99),
    "an input of a million pixels a side": _input([1, 3, 1 << 20, 1 << 20], is_told=False),
    "an input of negative size": _input([1, 3, -64, -64], is_told=False),
    "an input of no size": _input([1, 3, 0, 0], is_told=False),
    "an input without dimensions that says nothing": _input(["a", "b", "c", "d"], is_told=False),
    "an output of another rank than it has": _output([1, 7, 64, 1]),
    "an output of another type than it has": _output([1, 7, 64], TensorProto.INT32),
    "external data above": _external(_PASSWD, length=100),
    "external data at an absolute path": _external("/etc/passwd", length=100),
    "external data behind a link": _beside(lambda path: path.symlink_to("/etc/passwd")),
    "external data in a pipe": _beside(os.mkfifo),
    "external data in a folder": _beside(Path.mkdir),
    "external data that is missing": _external("none.bin"),
    "external data that is short": _beside(lambda path: path.write_bytes(b"12")),
    "external data from beyond its end": _beside(lambda path: path.write_bytes(bytes(99)), offset=1 << 40),
    "external data of 3 GB": _beside(lambda path: _sized(3_000_000_000)(path.parent).rename(path)),
    "external data of a negative length": _beside(lambda path: path.write_bytes(bytes(99)), length=-1),
    "metadata that isn't JSON": _metadata("{oh"),
    "metadata of many levels": _metadata("[" * 100_000),
    "metadata of another kind": _metadata("[1, 2]"),
    "a size of 0 in the metadata": _spec('"width":64', '"width":0'),
    "a negative size in the metadata": _spec('"width":64', '"width":-64'),
    "a size of millions in the metadata": _spec('"width":64', '"width":64000000000'),
    "a pad that is no pixel": _spec('"pad":114', '"pad":-7'),
    "a std of 0": _spec("255.0,255.0,255.0", "0.0,255.0,255.0"),
    "no labels": _spec('["person","car","bicycle"]', "[]"),
    "a family of its own": _spec('"yolov8"', '"../../x"'),
    "another family": _spec('"yolov8"', '"movenet"'),
    "another task": _spec('"detection"', '"segmentation"'),
    "Ultralytics' metadata of many levels": _metadata("(" * 10_000, "names", imgsz="[64, 64]", task="detect"),
    "Ultralytics' metadata with huge numbers": _metadata(
        "{0: 'a'}", "names", imgsz="[9**9**9, 64]", task="detect"
    ),
    "invalid UTF-8": _invalid_utf8,
    "an unknown IR": _set(ir_version=2**40),
    "an IR of 0": _set(ir_version=0),
    "an opset to come": _opset(999),
    "an opset of -1": _opset(-1),
    "an opset of another domain": _opset(1, "com.example"),
    "no opset": _edited(lambda model: model.ClearField("opset_import")),
    "an unknown operator": _operator("Frobnicate"),
    "an unknown domain": _operator("Conv", "com.example"),
    "no nodes": _edited(lambda model: model.graph.ClearField("node")),
    "no graph": _edited(lambda model: model.ClearField("graph")),
    "no inputs": _edited(lambda model: model.graph.ClearField("input")),
    "no outputs": _edited(lambda model: model.graph.ClearField("output")),
    "no weights": _edited(lambda model: model.graph.ClearField("initializer")),
}
"""ONNX files whose graphs, weights or metadata are bad."""

HARMLESS: dict[str, Craft] = {
    "external data beside it": _beside(lambda path: path.write_bytes(bytes(8400))),
    "2,000 nodes in a row": _edited(_chain),
    "If within If": _edited(_nested),
    "every dimension free": _edited(_all_free),
    "an output of another size than it has": _output([1, 7, 65]),
    "a name of several lines": _named("a\nb\x1b[2Jc"),
    "a name of a megabyte": _named("x" * 1_000_000),
    # Another Reshape follows it, and an optimiser makes one of both.
    "a Reshape to 100 GB": _before_the_end(helper.make_node("Reshape", ["in", "huge"], ["out"]), huge=_HUGE),
    "a model that is as it should be": _good,
}
"""Odd, but they work."""
