"""Requests: what is whole and allowed is read as it was meant, and nothing else is read at all."""

from __future__ import annotations

import math
import zlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_engine.client import Controller
from edge_engine.config import Config, ControlConfig, StreamConfig
from edge_engine.engine import Engine
from edge_engine.errors import ConfigError, RefusedError, SourceError
from edge_engine.wire import (
    BadCommandError,
    Command,
    ControlRequest,
    GetStatistics,
    Pause,
    Resume,
    SetClasses,
    SetThresholds,
    TakeSnapshot,
    UseModel,
    WireError,
    decode_reply,
    decode_request,
    encode_control,
)

STREAMS = st.text(min_size=1, max_size=64)
LABELS = st.text(min_size=1, max_size=50)
SHARES = st.floats(0, 1)
COMMANDS: st.SearchStrategy[Command] = st.one_of(
    st.builds(Pause, stream=STREAMS),
    st.builds(Resume, stream=STREAMS),
    st.builds(
        SetThresholds,
        stream=STREAMS,
        score_threshold=st.none() | SHARES,
        label_thresholds=st.dictionaries(LABELS, SHARES, max_size=5),
    ),
    st.builds(SetClasses, stream=STREAMS, classes=st.lists(LABELS, max_size=5).map(tuple)),
    st.builds(UseModel, name=st.text(min_size=1, max_size=100)),
    st.builds(
        TakeSnapshot,
        stream=STREAMS,
        longest_side=st.none() | st.integers(16, 16_384),
        quality=st.integers(1, 100),
    ),
    st.just(GetStatistics()),
)
REQUESTS = st.builds(ControlRequest, id=st.integers(0, 2**63 - 1), command=COMMANDS)
FIELDS = ["stream", "score_threshold", "classes", "quality", "type", "new"]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def sealed(payload: object, topic: bytes = b"control") -> bytes:
    body = topic + b"\0" + msgspec.msgpack.encode(payload)
    return body + zlib.crc32(body).to_bytes(4, "big")


def as_sent(value: object) -> Any:  # noqa: ANN401
    return msgspec.msgpack.decode(msgspec.msgpack.encode(value))


def read(data: bytes) -> ControlRequest | None:
    """None for what is no request."""
    try:
        return decode_request(data)
    except WireError:
        return None


@given(REQUESTS)
def test_a_request_is_read_as_it_was_meant(request: ControlRequest) -> None:
    assert decode_request(encode_control(request)) == request


@given(REQUESTS, st.data())
def test_one_that_was_damaged_is_not_read(request: ControlRequest, data: st.DataObject) -> None:
    whole = encode_control(request)
    at, bit = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(0, 7))
    assert read(whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :]) is None
    assert read(whole[:at]) is None


@given(st.binary(max_size=200))
def test_bytes_are_no_request(data: bytes) -> None:
    assert read(data) is None
    body = b"control\0" + data
    read(body + zlib.crc32(body).to_bytes(4, "big"))


@given(ANYTHING, ANYTHING)
def test_what_is_read_keeps_to_its_limits(request_id: object, command: object) -> None:
    found = read(sealed({"id": request_id, "command": command}))
    assert found is None or isinstance(found.command, GetStatistics)


@given(REQUESTS, st.sampled_from(FIELDS), ANYTHING)
def test_a_field_of_another_kind_is_never_taken_for_what_it_should_be(
    request: ControlRequest, field: str, value: object
) -> None:
    fields: dict[str, Any] = {**as_sent(request.command), field: value}
    found = read(sealed({"id": request.id, "command": fields}))
    if found is None:
        return
    again = as_sent(found.command)
    assert all(as_sent(value) == again[name] for name, value in fields.items())
    if isinstance(found.command, SetThresholds) and found.command.score_threshold is not None:
        assert 0 <= found.command.score_threshold <= 1


@pytest.mark.parametrize(
    "command",
    [
        {"type": "pause"},
        {"type": "pause", "stream": ""},
        {"type": "pause", "stream": "a" * 65},
        {"type": "pause", "stream": "front", "for": 3},
        {"type": "set_thresholds", "stream": "front", "score_threshold": math.nan},
        {"type": "set_thresholds", "stream": "front", "score_threshold": -1e300},
        {"type": "set_thresholds", "stream": "front", "score_threshold": True},
        {"type": "set_thresholds", "stream": "front", "label_thresholds": {"person": 2}},
        {"type": "set_classes", "stream": "front", "classes": "person"},
        {"type": "snapshot", "stream": "front", "longest_side": 2**40},
        {"type": "halt"},
        None,
        [],
    ],
    ids=str,
)
def test_whoever_asks_for_nonsense_is_told(command: object) -> None:
    with pytest.raises(BadCommandError) as caught:
        decode_request(sealed({"id": 7, "command": command}))
    assert caught.value.id == 7


def test_a_request_of_a_newer_version_is_refused() -> None:
    with pytest.raises(BadCommandError, match="newer"):
        decode_request(sealed({"id": 7, "version": 2, "command": {"type": "statistics"}}))


def test_what_is_nested_without_end_is_no_request() -> None:
    body = b"control\0" + b"\x82\xa2id\x07\xa7command" + b"\x91" * 60_000
    whole = body + zlib.crc32(body).to_bytes(4, "big")
    assert read(whole) is None
    with pytest.raises(WireError):
        decode_reply(whole)


def controlled(**terms: Any) -> Config:  # noqa: ANN401
    streams = {"front": StreamConfig(source="test:64x48@30", still_after_ms=None)}
    return Config(streams=streams, trim=False, control=ControlConfig(endpoint="tcp://127.0.0.1:*"), **terms)


def test_a_lossless_engine_can_t_be_paused() -> None:
    with Engine(controlled(policy="lossless"), collect=False) as engine:
        assert engine.control is not None
        with pytest.raises(RefusedError, match="lossless"):
            Controller(engine.control.endpoint, timeout_s=60).pause("front")


def test_a_stopped_engine_answers_no_more_and_its_address_is_free() -> None:
    with Engine(controlled(), collect=False) as engine:
        assert engine.control is not None
        endpoint = engine.control.endpoint
        assert Controller(endpoint, timeout_s=60).statistics().streams
    with pytest.raises(SourceError):
        Controller(endpoint, timeout_s=0.2).statistics()
    again = Engine(Config(streams=engine.config.streams, control=ControlConfig(endpoint=endpoint)))
    again.stop()


def test_models_that_stand_by_are_checked_at_the_start() -> None:
    with pytest.raises(ConfigError, match=r"blazeface.*'car' is none of its labels"):
        Engine(controlled(standby_models=("blazeface",), classes=("car",)))
    with pytest.raises(ConfigError, match="batch: 2 with standby_models"):
        Engine(controlled(standby_models=("blazeface",), batch=2))
