"""Wire: what is encoded decodes to the same, and any damage is found."""

from __future__ import annotations

import zlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_engine.wire import (
    WIRE_VERSION,
    Counters,
    DescribeMessage,
    EventMessage,
    EventRow,
    HealthMessage,
    LineRow,
    Message,
    ObjectRow,
    ResultMessage,
    VisitsRow,
    WireError,
    ZoneRow,
    decode,
    encode,
)

names = st.text("abcxyz-_09", min_size=1, max_size=12)
numbers = st.integers(0, 2**62)
counters = st.builds(Counters, numbers, numbers, numbers, st.dictionaries(names, numbers, max_size=3))
floats = st.floats(allow_nan=False)
rows = st.builds(
    ObjectRow,
    st.tuples(floats, floats, floats, floats),
    floats,
    st.integers(0, 99),
    st.text(),
    track_id=st.none() | st.integers(1, 2**62),
    track_state=st.sampled_from([None, "new", "confirmed", "lost"]),
    velocity=st.none() | st.tuples(floats, floats),
    velocity_covariance=st.none() | st.tuples(st.tuples(floats, floats), st.tuples(floats, floats)),
)
tallies = st.dictionaries(st.text(), numbers, max_size=3)
visits = st.builds(VisitsRow, tallies, tallies, tallies, tallies, floats, floats)
zones = st.builds(
    ZoneRow,
    names,
    st.lists(st.integers(0, 99), max_size=3),
    tallies,
    floats,
    st.none() | floats,
    st.none() | visits,
)
events = st.builds(
    EventRow,
    number=numbers,
    kind=st.sampled_from(["entered", "exited", "appeared", "lost_inside", "crossed"]),
    place=names,
    track_id=numbers,
    label=st.text(),
    score=floats,
    xyxy=st.tuples(floats, floats, floats, floats),
    seq=numbers,
    captured_ns=numbers,
    captured_utc_ns=numbers,
    ago_ms=floats,
    direction=st.sampled_from([None, "left_to_right", "right_to_left"]),
    dwell_ms=st.none() | floats,
)
messages: st.SearchStrategy[Message] = st.one_of(
    st.builds(
        ResultMessage,
        stream=names,
        seq=numbers,
        session=names,
        captured_ns=numbers,
        captured_utc_ns=numbers,
        published_ns=numbers,
        valid_until_ns=numbers,
        size=st.tuples(st.integers(1, 9999), st.integers(1, 9999)),
        model=names,
        stages_ms=st.dictionaries(names, floats, max_size=5),
        counters=counters,
        objects=st.lists(rows, max_size=5),
        zones=st.lists(zones, max_size=2),
        lines=st.lists(st.builds(LineRow, names, tallies, tallies), max_size=2),
        events=st.lists(events, max_size=2),
        version=st.just(WIRE_VERSION),
    ),
    st.builds(
        EventMessage,
        stream=names,
        session=names,
        published_ns=numbers,
        events=st.lists(events, max_size=3),
        version=st.just(WIRE_VERSION),
    ),
    st.builds(
        HealthMessage,
        stream=names,
        session=names,
        published_ns=numbers,
        counters=counters,
        state=names,
        reason=st.text(),
        since_ns=numbers,
        reconnects=numbers,
        missed=numbers,
        version=st.just(WIRE_VERSION),
    ),
    st.builds(
        DescribeMessage,
        stream=names,
        session=names,
        model=names,
        task=names,
        labels=st.lists(st.text(), max_size=5).map(tuple),
        max_age_ms=numbers,
        version=st.just(WIRE_VERSION),
        classes=st.lists(st.text(), max_size=5).map(tuple),
        score_threshold=st.floats(0, 1),
        label_thresholds=st.dictionaries(st.text(), st.floats(0, 1), max_size=3),
    ),
)
HEALTH = HealthMessage(stream="front", session="s", published_ns=1, counters=Counters(1, 1, 0, {}))


def sealed(body: bytes) -> bytes:
    return body + zlib.crc32(body).to_bytes(4, "big")


@given(messages)
def test_a_message_comes_back_as_it_was(message: Message) -> None:
    assert decode(encode(message)) == message


@given(messages, st.data())
def test_any_changed_byte_is_found(message: Message, data: st.DataObject) -> None:
    frame = bytearray(encode(message))
    at = data.draw(st.integers(0, len(frame) - 1))
    frame[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(WireError):
        decode(bytes(frame))


@given(st.binary(max_size=200))
def test_foreign_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        decode(data)
    with pytest.raises(WireError):
        decode(sealed(data))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"result/x",
        b"nonsense/x\0" + msgspec.msgpack.encode({}),
        b"result/x\0" + msgspec.msgpack.encode({"stream": "x"}),
        b"health/x\0" + msgspec.msgpack.encode([1, 2]),
        b"health/x\0",
        b"health/x\0" + msgspec.msgpack.encode({"stream": "x"}).replace(b"x", b"\xff"),
        b"health/x\0\x81\xa1x" + b"\x91" * 100_000 + b"\xc0",
    ],
)
def test_a_right_checksum_does_not_excuse_a_wrong_payload(body: bytes) -> None:
    with pytest.raises(WireError):
        decode(sealed(body))


def test_a_newer_version_is_refused_by_name() -> None:
    newer = msgspec.structs.replace(HEALTH, version=WIRE_VERSION + 1)
    with pytest.raises(WireError, match="newer"):
        decode(encode(newer))


def test_fields_added_later_are_ignored() -> None:
    fields = msgspec.to_builtins(HEALTH) | {"added_in_2030": [1, 2, 3]}
    assert decode(sealed(b"health/front\0" + msgspec.msgpack.encode(fields))) == HEALTH


def test_the_topic_comes_first_and_ends_with_nul() -> None:
    assert encode(HEALTH).startswith(b"health/front\0")
