"""Protobuf: Foxglove's two messages with pictures, of which JSON would make a third more bytes.

Field numbers and types are those of foxglove/CompressedImage.proto and foxglove/RawImage.proto in
https://github.com/foxglove/foxglove-sdk, schemas/proto; fields that aren't needed here are left out.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2

from edge_engine.clock import NS_PER_S

COMPRESSED_IMAGE, RAW_IMAGE = "foxglove.CompressedImage", "foxglove.RawImage"

_FILE = "edge_engine/foxglove_images.proto"
_Field = descriptor_pb2.FieldDescriptorProto
_FIELDS = {
    "CompressedImage": {
        "data": (2, _Field.TYPE_BYTES),
        "format": (3, _Field.TYPE_STRING),
        "frame_id": (4, _Field.TYPE_STRING),
    },
    "RawImage": {
        "width": (2, _Field.TYPE_FIXED32),
        "height": (3, _Field.TYPE_FIXED32),
        "encoding": (4, _Field.TYPE_STRING),
        "step": (5, _Field.TYPE_FIXED32),
        "data": (6, _Field.TYPE_BYTES),
        "frame_id": (7, _Field.TYPE_STRING),
    },
}


class RawImage(NamedTuple):
    """`encoding` in Foxglove's words, where it has one; `step`: bytes of the first plane's lines."""

    size: tuple[int, int]
    encoding: str
    step: int
    data: bytes


def encode_compressed(captured_utc_ns: int, stream: str, data: bytes) -> bytes:
    """A JPEG."""
    message = _message(COMPRESSED_IMAGE)(data=data, format="jpeg", frame_id=stream)
    return _serialised(message, captured_utc_ns)


def encode_raw(captured_utc_ns: int, stream: str, image: RawImage) -> bytes:
    width, height = image.size
    fields = {"width": width, "height": height, "encoding": image.encoding, "step": image.step}
    message = _message(RAW_IMAGE)(data=image.data, frame_id=stream, **fields)
    return _serialised(message, captured_utc_ns)


def picture_of(name: str, data: bytes) -> bytes:
    """The field `data` of an encoded message of that name. Raises google.protobuf.message.DecodeError."""
    picture: bytes = _message(name).FromString(data).data
    return picture


def descriptors() -> bytes:
    """MCAP's schema of these messages: a FileDescriptorSet with all that they are made of."""
    return bytes(descriptor_pb2.FileDescriptorSet(file=_files()).SerializeToString())


def _files() -> list[Any]:
    stamp = descriptor_pb2.FileDescriptorProto()
    timestamp_pb2.DESCRIPTOR.CopyToProto(stamp)
    file = descriptor_pb2.FileDescriptorProto(
        name=_FILE, package="foxglove", syntax="proto3", dependency=[stamp.name]
    )
    for name, fields in _FIELDS.items():
        message = file.message_type.add(name=name)
        message.field.add(
            name="timestamp",
            number=1,
            label=_Field.LABEL_OPTIONAL,
            type=_Field.TYPE_MESSAGE,
            type_name=".google.protobuf.Timestamp",
        )
        for field, (number, kind) in fields.items():
            message.field.add(name=field, number=number, label=_Field.LABEL_OPTIONAL, type=kind)
    return [stamp, file]


@cache
def _message(name: str) -> Any:  # noqa: ANN401 - made at run time
    """The class of the messages of that name, in a pool of our own: another package may know them too."""
    pool = descriptor_pool.DescriptorPool()
    for file in _files():
        pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))


def _serialised(message: Any, captured_utc_ns: int) -> bytes:  # noqa: ANN401
    message.timestamp.seconds, message.timestamp.nanos = divmod(captured_utc_ns, NS_PER_S)
    return bytes(message.SerializeToString())
