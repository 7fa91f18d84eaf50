"""Glance: what can't be a model shows in a file's kind, size and first bytes, before anything reads it."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import BinaryIO

from edge_engine.errors import ModelError

# Protocol buffers, and so ONNX files, end there; larger models keep their weights in files beside them.
_MOST_BYTES = 1 << 31
_HEAD_BYTES = 64
_LONGEST_NUMBER = 10
# Version, producer, graph, opsets, metadata and functions.
_MOST_FIELDS = 100_000


def check_file(path: Path) -> None:
    """ModelError for what can't be a model file; never waits on a device or a pipe."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise ModelError(f"{path}: expected an ONNX file, found a directory or a device")
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
            end = _end_of_fields(file, found.st_size)
    except FileNotFoundError:
        raise ModelError(f"{path}: no such model file") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a path"
        raise ModelError(f"{path}: can't be read: {reason}") from None
    if not head:
        raise ModelError(f"{path}: the model file is empty")
    if found.st_size >= _MOST_BYTES:
        raise ModelError(f"{path}: larger than 2 GiB, which no ONNX file is; expected its weights beside it")
    other = _other_kind(head)
    if other is not None:
        raise ModelError(f"{path}: not an ONNX model but {other}")
    if end is None:
        raise ModelError(f"{path}: not an ONNX model, or a damaged one: it isn't made of fields")
    if end > found.st_size:
        raise ModelError(
            f"{path}: cut short, or damaged: it has {found.st_size} bytes, by its own words {end}; "
            "fetch or export it again"
        )


def _end_of_fields(file: BinaryIO, size: int) -> int | None:
    """Where the last of the outermost fields ends, by what they say; None where no field can begin.

    Fields as in protobuf.dev's Encoding: a number with a kind in its last three bits, and by kind the value
    or its length.
    """
    at = 0
    for _ in range(_MOST_FIELDS):
        if at >= size:
            return at
        file.seek(at)
        begin = file.read(2 * _LONGEST_NUMBER)
        tag, used = _number(begin)
        value, more = _number(begin[used:])
        ends = {0: more, 1: 8, 2: more + value, 5: 4}
        if not used or tag < 8 or tag & 7 not in ends or (tag & 7 in (0, 2) and not more):
            return None
        at += used + ends[tag & 7]
    return None


def _number(data: bytes) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and how many bytes it takes; 0 where it has no end."""
    value = 0
    for i, byte in enumerate(data[:_LONGEST_NUMBER]):
        value |= (byte & 127) << 7 * i
        if byte < 128:
            return value, i + 1
    return value, 0


def _other_kind(head: bytes) -> str | None:
    """What people take for an ONNX file, and how to come by one."""
    if head.startswith(b"version https://git-lfs"):
        return "Git LFS's pointer to one; fetch the file itself: git lfs pull"
    if head[4:8] == b"TFL3":
        return "a TFLite model; convert it: python -m tf2onnx.convert --tflite FILE --output model.onnx"
    if head.startswith(b"PK"):
        return "a zip archive, as PyTorch's files are; export it to ONNX"
    if head.startswith((b"<", b"{")):
        return "text; was a web page downloaded in its place?"
    if head[0] == 0:  # no field of a protocol buffer has the number 0
        return "something else: its first byte is 0"
    return None
