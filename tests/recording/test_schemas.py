"""Schemas: what Foxglove's reader takes, and that the messages keep to them."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from edge_engine.recording import schemas
from edge_engine.recording.annotations import drawn
from edge_engine.recording.protobuf import RawImage, encode_compressed, encode_raw
from edge_engine.recording.schemas import Schema
from edge_engine.wire import Counters, ObjectRow, ResultMessage, TagRow

JSON_SCHEMAS = [schemas.FRAME, schemas.RESULT, schemas.ANNOTATIONS, schemas.HEALTH, schemas.DESCRIBE]


def make_result() -> ResultMessage:
    person = ObjectRow((1.5, 2, 30, 40), 0.75, 0, "person", [(3, 4, 0.9), (5, 6, 0.1)], track_id=4)
    return ResultMessage(
        stream="a",
        seq=1,
        session="s",
        captured_ns=5,
        captured_utc_ns=1_700_000_000_000_000_003,
        published_ns=9,
        valid_until_ns=10,
        size=(64, 48),
        model="m",
        stages_ms={"infer": 1.0},
        counters=Counters(1, 1, 0, {}),
        objects=[person],
        tags=[TagRow(0.5, 2, "cat")],
    )


def assert_readable(schema: dict[str, Any], where: str) -> None:
    """By the rules of Foxglove's parseJsonSchema, which throws for anything else."""
    assert schema["type"] == "object", where
    for name, field in schema["properties"].items():
        inside = f"{where}.{name}"
        kind = field["type"]
        if kind == "array":
            field, inside = field["items"], f"{inside}[]"
            kind = field["type"]
            assert kind != "array", inside
        if kind == "object":
            assert_readable(field, inside)
        else:
            assert kind in ("boolean", "string", "number", "integer"), inside


@pytest.mark.parametrize("schema", JSON_SCHEMAS, ids=lambda schema: schema.name)
def test_foxglove_reads_each_schema(schema: Schema) -> None:
    read = json.loads(schema.data)
    assert read["title"] == schema.name
    assert_readable(read, schema.name)


def test_the_fields_of_a_result_are_described() -> None:
    fields = json.loads(schemas.RESULT.data)["properties"]
    row = fields["objects"]["items"]["properties"]
    assert row["xyxy"] == {"type": "array", "items": {"type": "number"}}
    assert row["track_id"] == {"type": "integer"}
    assert set(msgspec.to_builtins(make_result())) - set(fields) == {"stages_ms"}  # a free map


def test_boxes_are_drawn_where_they_are() -> None:
    read = json.loads(msgspec.json.encode(drawn(make_result())))
    box, joints = read["points"]
    assert [(each["x"], each["y"]) for each in box["points"]] == [(1.5, 2), (30, 2), (30, 40), (1.5, 40)]
    assert box["type"] == 2  # LINE_LOOP
    assert box["timestamp"] == {"sec": 1_700_000_000, "nsec": 3}
    assert [(each["x"], each["y"]) for each in joints["points"]] == [(3, 4)]
    assert [each["text"] for each in read["texts"]] == ["person #4 0.75", "cat 0.50"]


@pytest.mark.parametrize("name", ["foxglove.CompressedImage", "foxglove.RawImage"])
def test_a_picture_is_read_by_the_schema_in_the_file_alone(name: str) -> None:
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(schemas.RAW_IMAGE.data).file:
        pool.Add(file)
    kind = message_factory.GetMessageClass(pool.FindMessageTypeByName(name))
    if name == "foxglove.RawImage":
        read = kind.FromString(encode_raw(1_500_000_000, "a", RawImage((4, 2), "mono8", 4, b"12345678")))
        assert (read.width, read.height, read.encoding, read.step) == (4, 2, "mono8", 4)
    else:
        read = kind.FromString(encode_compressed(1_500_000_000, "a", b"12345678"))
        assert read.format == "jpeg"
    assert (read.data, read.frame_id) == (b"12345678", "a")
    assert (read.timestamp.seconds, read.timestamp.nanos) == (1, 500_000_000)
