"""Every language reads the messages alike: those of old engines, harmed ones, and those that aren't ours."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import msgspec
import pytest

from edge_engine.languages import FOLDER
from edge_engine.wire import ClockRequest, ForeignError, decode, decode_clock, encode_clock
from tests.languages.decoders import GOLDEN, HERE, SANITIZERS, compile_cpp, need, said_by, said_by_python
from tests.languages.mutation import mutated
from tools.wire_schema.__main__ import generated

Decoder: TypeAlias = Callable[[Sequence[bytes]], list[object]]
NAMES = sorted(path.stem for path in GOLDEN.glob("*.bin") if path.stem != "clock-request")
MUTATED = 5_000  # soak.py takes many more
_MOST_OF_INT64 = 2**63 - 1


def bytes_of(name: str) -> bytes:
    return (GOLDEN / f"{name}.bin").read_bytes()


@pytest.fixture(scope="module", params=["cpp", "js"])
def decoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Decoder:
    if request.param == "cpp":
        program = compile_cpp("decode", tmp_path_factory.mktemp("cpp"), *SANITIZERS)
        return lambda messages: said_by([program], messages)
    return lambda messages: said_by([need("node"), HERE / "js/decode.mjs"], messages)


def holds(said: object, written: object) -> bool:
    """Whether all that was written is said; fields that have been added since may be said as well."""
    if isinstance(written, dict):
        return isinstance(said, dict) and all(
            key in said and holds(said[key], value) for key, value in written.items()
        )
    if isinstance(written, list):
        return isinstance(said, list) and len(said) == len(written) and all(map(holds, said, written))
    if isinstance(written, float):  # JavaScript writes 4.0 as 4
        return isinstance(said, int | float) and float(said) == written
    return type(said) is type(written) and bool(said == written)


@pytest.mark.parametrize("name", NAMES)
def test_messages_of_old_engines_are_read_as_they_were(name: str) -> None:
    assert holds(said_by_python(bytes_of(name)), json.loads((GOLDEN / f"{name}.json").read_text()))


def test_other_languages_read_them_as_python_does(decoder: Decoder) -> None:
    for name, said in zip(NAMES, decoder([bytes_of(name) for name in NAMES]), strict=True):
        assert holds(said, said_by_python(bytes_of(name))), name


def test_harmed_messages_are_told_as_python_tells_them(decoder: Decoder) -> None:
    messages = mutated([bytes_of(name) for name in NAMES if len(bytes_of(name)) < 4_000], MUTATED, seed=1)
    expected = [said_by_python(message) for message in messages]
    assert sum(isinstance(each, dict) for each in expected) > MUTATED // 50
    for message, said, wanted in zip(messages, decoder(messages), expected, strict=True):
        assert holds(said, wanted) or may_differ(message, said, wanted), message


def may_differ(message: bytes, said: object, wanted: object) -> bool:
    """C++ takes any text where Python knows all that there are, and has no numbers beyond 64 bits."""
    if said == "foreign":
        return any(number > _MOST_OF_INT64 for number in numbers_in(wanted))
    try:
        decode(message)
    except ForeignError as error:
        return "Invalid enum value" in str(error)
    return False


def numbers_in(said: object) -> list[int]:
    if isinstance(said, dict | list):
        inner = said.values() if isinstance(said, dict) else said
        return [number for each in inner for number in numbers_in(each)]
    return [said] if isinstance(said, int) else []


def test_bytes_that_are_no_messages_harm_nobody(decoder: Decoder) -> None:
    deep = b"health/x\0\x81\xa4deep" + b"\x91" * 100_000 + b"\xc0"
    wide = b"health/x\0\xdf\xff\xff\xff\xff\xa6stream"
    assert decoder([b"", b"\0", b"abc", sealed(b""), sealed(b"health/x"), sealed(deep), sealed(wide)]) == (
        ["damaged"] * 3 + ["foreign"] * 4
    )


def sealed(body: bytes) -> bytes:
    return body + zlib.crc32(body).to_bytes(4, "big")


def test_a_request_for_the_time_is_what_it_was() -> None:
    written = json.loads((GOLDEN / "clock-request.json").read_text())
    request = decode_clock(bytes_of("clock-request"), ClockRequest)
    assert msgspec.to_builtins(request) == written
    assert encode_clock(request) == bytes_of("clock-request")


@pytest.mark.parametrize("name", generated())
def test_what_is_generated_is_up_to_date(name: str) -> None:
    written = FOLDER / name
    assert written.exists(), "python -m tools.wire_schema"
    assert written.read_text() == generated()[name], f"{name} is out of date: python -m tools.wire_schema"


def test_the_schema_describes_every_golden_message() -> None:
    schema = json.loads((FOLDER / "wire.schema.json").read_text())
    parts = schema["$defs"]
    for name in NAMES:
        if name.endswith(("-result", "-health", "-describe")):
            message = json.loads((GOLDEN / f"{name}.json").read_text())
            reference = schema["topics"][f"{name.rpartition('-')[2]}/<stream>"]["$ref"]
            part = parts[Path(reference).name]
            assert set(part["required"]) <= set(message) <= set(part["properties"])
            assert part["description"]
