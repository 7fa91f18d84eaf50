"""Mutations of real model files: of their bytes, and of what they say as protocol buffers.

`mutated(rng, data)` is a pure function of the generator's state: a seed gives the same files again.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, EncodeError, Message
from onnx import ModelProto, defs

Mutation = Callable[[random.Random, ModelProto], None]

_NUMBERS = [0, 1, -1, 2, 3, 4, 7, 8, 16, 17, 64, 255, 1 << 16, (1 << 31) - 1, 1 << 31, 1 << 40, (1 << 63) - 1]
_NUMBERS += [-2, -(1 << 31), -(1 << 63), 100, 1000, 65_537]
_REALS = [0.0, -0.0, 1.0, -1.0, 1e-45, 1e38, -1e38, float("inf"), float("-inf"), float("nan")]
_TEXTS = ["", "x", "../../etc/passwd", "a" * 5000, "a\nb", "\x1b[2J", "\u202e", "%s%n", "NaN", "0", "{}"]
_OPERATORS = sorted({schema.name for schema in defs.get_all_schemas()})


def mutated(rng: random.Random, data: bytes) -> bytes:
    """One to three mutations of a model file, a third of them of its bare bytes."""
    if rng.random() < 0.33:
        return _bytes_mutated(rng, data)
    model = ModelProto.FromString(data)
    try:
        for _ in range(rng.choice([1, 1, 1, 2, 3])):
            rng.choices(*_WEIGHTED)[0](rng, model)
        return bytes(model.SerializeToString())
    except (DecodeError, EncodeError, ValueError, TypeError, IndexError):  # no message can hold that
        return _bytes_mutated(rng, data)


def _bytes_mutated(rng: random.Random, data: bytes) -> bytes:
    work = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 8])):
        # Files begin and end with what describes them; weights lie in between.
        at = rng.choice([rng.randrange(len(work)), rng.randrange(200), -rng.randrange(1, 400)]) % len(work)
        length = min(rng.choice([1, 2, 10, 1000]), len(work) - at)
        other = rng.randrange(len(work))
        kind = rng.choice(["flip", "flip", "set", "cut", "zero", "drop", "double", "swap"])
        if kind == "flip":
            work[at] ^= 1 << rng.randrange(8)
        elif kind == "set":
            work[at] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)])
        elif kind == "cut":
            del work[max(at, 1) :]
        elif kind == "zero":
            work[at : at + length] = bytes(length)
        elif kind == "drop" and length < len(work):
            del work[at : at + length]
        elif kind == "double":
            work[at:at] = work[at : at + length]
        elif kind == "swap":
            a, b = bytes(work[at : at + length]), bytes(work[other : other + length])
            work[at : at + len(b)], work[other : other + len(a)] = b, a
    return bytes(work)


def _messages(message: Message) -> Iterator[Message]:
    """It and all that it holds."""
    yield message
    for field, value in message.ListFields():
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            for part in value if field.is_repeated else [value]:
                yield from _messages(part)


def _of_type(model: ModelProto, name: str) -> list[Any]:
    return [message for message in _messages(model) if message.DESCRIPTOR.name == name]


def _any_field(rng: random.Random, model: ModelProto) -> None:
    """Some field of some message: another value, one more, one less."""
    message = rng.choice(list(_messages(model)))
    field = rng.choice(message.DESCRIPTOR.fields)
    if field.is_repeated:
        _repeated_field(rng, model, message, field)
    elif field.type == FieldDescriptor.TYPE_MESSAGE:
        if rng.random() < 0.5:
            message.ClearField(field.name)
        else:
            getattr(message, field.name).SetInParent()
    elif rng.random() < 0.15:
        message.ClearField(field.name)
    else:
        setattr(message, field.name, _value(rng, model, field))


def _repeated_field(rng: random.Random, model: ModelProto, message: Message, field: FieldDescriptor) -> None:
    values = getattr(message, field.name)
    kind = rng.choice(["drop", "double", "shuffle", "clear", "add", "set"])
    if kind == "clear":
        del values[:]
    elif kind == "add" or not len(values):
        is_message = field.type == FieldDescriptor.TYPE_MESSAGE
        values.add() if is_message else values.append(_value(rng, model, field))
    elif kind == "drop":
        del values[rng.randrange(len(values))]
    elif kind == "double":
        values.append(rng.choice(values))
    elif kind == "shuffle":
        order = list(values)
        rng.shuffle(order)
        del values[:]
        values.extend(order)
    elif field.type != FieldDescriptor.TYPE_MESSAGE:
        values[rng.randrange(len(values))] = _value(rng, model, field)


def _value(rng: random.Random, model: ModelProto, field: FieldDescriptor) -> Any:  # noqa: ANN401
    if field.type == FieldDescriptor.TYPE_STRING:
        return rng.choice([rng.choice(_TEXTS), rng.choice(_names(model))])
    if field.type == FieldDescriptor.TYPE_BYTES:
        return rng.randbytes(rng.choice([0, 1, 4, 8, 100]))
    if field.type in (FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_DOUBLE):
        return rng.choice(_REALS)
    if field.type == FieldDescriptor.TYPE_ENUM:
        return rng.choice([value.number for value in field.enum_type.values])
    return rng.choice(_NUMBERS)


def _names(model: ModelProto) -> list[str]:
    graph = model.graph
    names = [name for node in graph.node for name in (*node.input, *node.output)]
    return [*names, *(value.name for value in (*graph.input, *graph.output, *graph.initializer)), "x"]


def _dimension(rng: random.Random, model: ModelProto) -> None:
    dimension = rng.choice(_of_type(model, "Dimension"))
    if rng.random() < 0.3:
        dimension.dim_param = "n"
    else:
        dimension.dim_value = rng.choice([*_NUMBERS, dimension.dim_value * 2, dimension.dim_value + 1])


def _kind(rng: random.Random, model: ModelProto) -> None:
    value = rng.choice([*_of_type(model, "TensorProto"), *_of_type(model, "Tensor")])
    kind = rng.choice([*range(27), 99, -1])
    setattr(value, "data_type" if hasattr(value, "data_type") else "elem_type", kind)


def _tensor(rng: random.Random, model: ModelProto) -> None:
    """Its sides, or what it holds."""
    tensor = rng.choice(_of_type(model, "TensorProto"))
    if rng.random() < 0.4 and len(tensor.dims):
        tensor.dims[rng.randrange(len(tensor.dims))] = rng.choice(_NUMBERS)
    elif rng.random() < 0.5:
        tensor.raw_data = tensor.raw_data[: rng.randrange(len(tensor.raw_data) + 1)]
    else:
        unit = struct.pack("<f", rng.choice(_REALS))
        tensor.raw_data = unit * (len(tensor.raw_data) // 4) + tensor.raw_data[len(tensor.raw_data) & ~3 :]


def _shape_constant(rng: random.Random, model: ModelProto) -> None:
    """One of the whole numbers that say how something is to be laid."""
    small = [t for t in _of_type(model, "TensorProto") if t.data_type == 7 and 8 <= len(t.raw_data) <= 64]
    if not small:
        return _tensor(rng, model)
    tensor = rng.choice(small)
    at = 8 * rng.randrange(len(tensor.raw_data) // 8)
    number = rng.choice(_NUMBERS).to_bytes(8, "little", signed=True)
    tensor.raw_data = tensor.raw_data[:at] + number + tensor.raw_data[at + 8 :]
    return None


def _operator(rng: random.Random, model: ModelProto) -> None:
    node = rng.choice(model.graph.node)
    node.op_type = rng.choice([*_OPERATORS, *(other.op_type for other in model.graph.node)])
    if rng.random() < 0.1:
        node.domain = rng.choice(["com.microsoft", "ai.onnx.ml", "com.example"])


def _attribute(rng: random.Random, model: ModelProto) -> None:
    attributes = _of_type(model, "AttributeProto")
    if not attributes:
        return _operator(rng, model)
    attribute = rng.choice(attributes)
    if len(attribute.ints) and rng.random() < 0.7:
        attribute.ints[rng.randrange(len(attribute.ints))] = rng.choice(_NUMBERS)
    elif rng.random() < 0.5:
        attribute.i = rng.choice(_NUMBERS)
    elif rng.random() < 0.5:
        attribute.f = rng.choice(_REALS)
    else:
        attribute.name = rng.choice(_TEXTS + [other.name for other in attributes])
    return None


def _wiring(rng: random.Random, model: ModelProto) -> None:
    """A node reads or gives another value: cycles, names given twice, inputs that nobody gives."""
    node = rng.choice(model.graph.node)
    ends = rng.choice([node.input, node.input, node.output])
    if len(ends):
        ends[rng.randrange(len(ends))] = rng.choice([*_names(model), "", "nobody"])


def _order(rng: random.Random, model: ModelProto) -> None:
    nodes = model.graph.node
    a, b = rng.randrange(len(nodes)), rng.randrange(len(nodes))
    first, second = nodes[a].SerializeToString(), nodes[b].SerializeToString()
    nodes[a].ParseFromString(second)
    nodes[b].ParseFromString(first)


def _metadata(rng: random.Random, model: ModelProto) -> None:
    if not len(model.metadata_props):
        key = rng.choice(["edge_engine", "names", "stride"])
        model.metadata_props.add(key=key, value=rng.choice([*_TEXTS, "{0: 'a'}", '{"version":1}', "[64,64]"]))
        return
    entry = rng.choice(model.metadata_props)
    text = entry.value
    at = rng.randrange(len(text) + 1)
    new = rng.choice([*_TEXTS, "0", "-1", "9" * 30, "null", '"', "}", ",", "NaN", "1e999", "\ud7ff"])
    entry.value = text[:at] + new + text[at + rng.randrange(4) :]
    if rng.random() < 0.1:
        entry.key = rng.choice(["edge_engine", "names", "imgsz", "task", "kpt_shape", "args", "x"])


def _numbers_of_metadata(rng: random.Random, model: ModelProto) -> None:
    """A number within the metadata becomes another."""
    entries = [entry for entry in model.metadata_props if any(c.isdigit() for c in entry.value)]
    if not entries:
        return _metadata(rng, model)
    entry = rng.choice(entries)
    at = rng.choice([i for i, c in enumerate(entry.value) if c.isdigit()])
    end = at
    while end < len(entry.value) and entry.value[end].isdigit():
        end += 1
    entry.value = entry.value[:at] + str(rng.choice([*_NUMBERS, *_REALS])) + entry.value[end:]
    return None


def _version(rng: random.Random, model: ModelProto) -> None:
    if rng.random() < 0.5 or not len(model.opset_import):
        model.ir_version = rng.choice(_NUMBERS)
    else:
        rng.choice(model.opset_import).version = rng.choice([*_NUMBERS, *range(1, 28)])


_WEIGHTED: tuple[list[Mutation], list[int]] = (
    [
        *(_any_field, _dimension, _kind, _tensor, _shape_constant, _operator, _attribute, _wiring, _order),
        *(_metadata, _numbers_of_metadata, _version),
    ],
    [6, 3, 2, 3, 4, 4, 4, 3, 1, 2, 3, 1],
)
