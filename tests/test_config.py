"""Configuration: what is wrong is said in one line, with file, line, key, expected and found."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile
from unittest.mock import Mock

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_engine.config import Config, StreamConfig, ZeroMqConfig, load_config, parse_config, revalidate
from edge_engine.errors import ConfigError
from edge_engine.sources import make_source
from edge_engine.sources.pipelines import JETSON, RASPBERRY_PI, SOFTWARE, file, rtsp
from edge_engine.yaml.source import MAX_BYTES

CONFIGS = sorted((Path(__file__).parents[1] / "configs").glob("*.yaml"))
GOOD = "streams: {a: {source: x}}\n"
ENDPOINTS = "expected tcp://HOST:PORT (0 to 65535, or *) or ipc://PATH"

# Each text, and what follows the file's name.
BAD = {
    "wrong type": (
        "streams:\n  a:\n    source: x\n    max_age_ms: fast\n",
        ':4: streams.a.max_age_ms: expected an integer from 1 to 600000, found "fast"',
    ),
    "out of range": (GOOD + "workers: 99", ":2: workers: expected an integer from 1 to 64, found 99"),
    "not one of the words": (GOOD + "policy: fast", ':2: policy: expected live or lossless, found "fast"'),
    "unknown key": (GOOD + "polcy: live", ':2: polcy: unknown key "polcy"; did you mean "policy"?'),
    "unknown key within": (
        "streams:\n  a:\n    source: x\n    sauce: y\n",
        ':4: streams.a.sauce: unknown key "sauce"; did you mean "source"?',
    ),
    "missing key": (
        "streams:\n  a: {}\n",
        ':2: streams.a: key "source" is missing; expected a source\'s URI',
    ),
    "duplicate key": ("a: 1\nb: 2\na: 3\n", ':3: key "a" is there twice, first on line 1'),
    "duplicate stream": (
        "streams:\n  a: {source: x}\n  a: {source: y}\n",
        ':3: streams: key "a" is there twice, first on line 2',
    ),
    "yes for a number": (
        "streams: {a: {source: x, max_age_ms: yes}}",
        ":1: streams.a.max_age_ms: expected an integer from 1 to 600000, found true",
    ),
    "number for yes": (
        "streams: {a: {source: x, pace: 1}}",
        ":1: streams.a.pace: expected true or false, found 1",
    ),
    "no streams": ("streams: {}", ":1: streams: expected at least one named stream, found an empty mapping"),
    "streams as a list": ("streams: [a]", ":1: streams: expected at least one named stream, found a list"),
    "bad stream name": (
        "streams: {a b: {source: x}}",
        ':1: streams.a b: expected a stream\'s name of up to 64 letters, digits, - or _, found "a b"',
    ),
    "empty source": (
        "streams: {a: {source: ''}}",
        ':1: streams.a.source: expected a source\'s URI, found ""',
    ),
    "bad endpoint": (
        GOOD + "outputs:\n  zeromq:\n    endpoint: nowhere",
        f':4: outputs.zeromq.endpoint: {ENDPOINTS}, found "nowhere"',
    ),
    "nothing for a mapping": (
        GOOD + "outputs:",
        ":2: outputs: expected a mapping of keys and values, found nothing",
    ),
    "not a number": (
        GOOD + "score_threshold: .nan",
        ":2: score_threshold: expected a finite number, found .nan",
    ),
    "infinite": (GOOD + "seconds: -.inf", ":2: seconds: expected a finite number, found -.inf"),
    "beyond a float": (GOOD + "seconds: 1.0e+999", ":2: seconds: expected a finite number, found 1.0e+999"),
    "beyond a float, and text to YAML 1.1": (
        GOOD + "seconds: 1e999",
        ':2: seconds: expected a number above 0, found "1e999"',
    ),
    "octal": (GOOD + "workers: 010", ":2: workers: expected a number without a leading zero, found 010"),
    "minutes": (GOOD + "seconds: 1:30", ':2: seconds: expected a number above 0, found "1:30"'),
    "a date": (
        GOOD + "frames: 2026-01-01",
        ':2: frames: expected an integer of at least 1, found "2026-01-01"',
    ),
    "zero seconds": (GOOD + "seconds: 0", ":2: seconds: expected a number above 0, found 0"),
    "huge number": (
        GOOD + "frames: " + "9" * 5000,
        f":2: frames: expected a number of up to 40 digits, found {'9' * 59}…",
    ),
    "a list on top": ("[1, 2]", ":1: expected a mapping of keys and values, found a list"),
    "a word on top": ("\n\nhello", ':3: expected a mapping of keys and values, found "hello"'),
    "an empty mapping": ("{}", ':1: key "streams" is missing; expected at least one named stream'),
    "a number as key": (
        "streams: {a: {source: x, 1: 2}}",
        ':1: streams.a.1: unknown key "1"; known: ' + ", ".join(StreamConfig.__struct_fields__),
    ),
    "the longest stream's name": (
        f"streams: {{{'n' * 64}: {{source: x, pace: 3}}}}",
        f":1: streams.{'n' * 64}.pace: expected true or false, found 3",
    ),
    "a long value": (
        GOOD + f"policy: {'z' * 5000}",
        f':2: policy: expected live or lossless, found "{"z" * 58}…',
    ),
    "a value that would repaint the terminal": (
        GOOD + 'policy: "\\e[2J"',
        ":2: policy: expected plain text, found the control character U+001B",
    ),
    "a value that would turn the line around": (
        GOOD + 'policy: "\\u202eevil"',
        ':2: policy: expected live or lossless, found "?evil"',
    ),
    "half a surrogate pair": (
        GOOD + 'model: "\\ud800"',
        ":2: model: expected plain text, found the control character U+D800",
    ),
    "a port too high": (
        GOOD + "outputs: {zeromq: {endpoint: 'tcp://h:65536'}}",
        f':2: outputs.zeromq.endpoint: {ENDPOINTS}, found "tcp://h:65536"',
    ),
    "no port": (
        GOOD + "outputs: {zeromq: {endpoint: 'tcp://h'}}",
        f':2: outputs.zeromq.endpoint: {ENDPOINTS}, found "tcp://h"',
    ),
    "empty": ("", ": the file is empty; expected a configuration"),
    "comments only": ("# nothing\n\n", ": the file is empty; expected a configuration"),
    "anchor": ("a: &x [1]", ":1: a: anchors and aliases (& and *) are not supported; write the value out"),
    "alias": ("a: *x", ":1: a: anchors and aliases (& and *) are not supported; write the value out"),
    "tag": (
        "a: !!python/name:os.system",
        ":1: a: tags are not supported: tag:yaml.org,2002:python/name:os.system; remove it",
    ),
    "merge key": (
        "streams: {a: {<<: {source: x}}}",
        ":1: streams.a: merge keys (<<) are not supported; write the keys out",
    ),
    "list as key": ("? [a]\n: b", ":1: expected a plain key, found a list"),
    "too many values": (
        "a: [" + "1," * 60_000,
        ":1: a.49997: more than 50000 keys and values; expected a short file",
    ),
    "deep lists": ("[" * 100_000, ":1: nested deeper than 32 levels"),
    "deep mappings": ("{a: " * 50_000, ":1: nested deeper than 32 levels"),
    "two documents": (GOOD + "---\na: 1", ":2: a second document; expected one"),
    "broken syntax": (GOOD + "policy: [live", ":2: not valid YAML at column 14: …"),
    "tabs": ("streams:\n\ta: 1", ":2: not valid YAML at column 1: …"),
    "an escape of no character": (
        GOOD + 'model: "\\U00110000"',
        ":2: not valid YAML at column 11: a number out of range",
    ),
    "an escape beyond any integer": (
        GOOD + 'model: "\\Uffffffff"',
        ":2: not valid YAML at column 11: a number out of range",
    ),
    "a version of 5000 digits": (
        f"%YAML 1.{'9' * 5000}\n---\n{GOOD}",
        ":1: not valid YAML at column 9: a number out of range",
    ),
    "control characters": (GOOD + "model: \x07", ":2: not valid YAML: the character U+0007 is not allowed"),
    "nul": ("a: \0", ":1: not valid YAML: the character U+0000 is not allowed"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_configuration_is_one_exact_line(case: str) -> None:
    text, expected = BAD[case]
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "c.yaml")
    line = str(caught.value)
    assert "\n" not in line
    if expected.endswith(": …"):  # the rest is PyYAML's
        assert line.startswith("c.yaml" + expected.removesuffix("…"))
    else:
        assert line == "c.yaml" + expected


def test_a_bomb_of_aliases_is_refused_at_its_first_anchor() -> None:
    bomb = "a: &a [x, x]\n" + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)}]\n" for i in range(20))
    with pytest.raises(ConfigError, match="anchors"):
        parse_config(bomb, "bomb.yaml")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x80\x81\xff" * 10, "c.yaml:1: not a text file"),
        (GOOD.encode() + b"model: caf\xe9", "c.yaml:2: not a text file"),
        (b"\x7fELF\x00\x00\x01", "not valid YAML"),
        (b"a" * (MAX_BYTES + 1), "larger than"),
        (b"", "empty"),
    ],
)
def test_a_file_that_is_no_configuration_is_one_line(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=words) as caught:
        load_config(path)
    assert str(path) in str(caught.value)


def test_what_is_no_file_is_one_line(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    for path, words in (
        (tmp_path, "directory"),
        (tmp_path / "pipe.yaml", "pipe"),
        (tmp_path / "missing.yaml", "No such file"),
        ("/dev/zero", "device"),
        ("a\0b.yaml", "can't be read"),
        ("x" * 5000, "can't be read"),
    ):
        with pytest.raises(ConfigError, match=words):
            load_config(path)


def test_a_file_without_permission_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(GOOD)
    monkeypatch.setattr(Path, "open", Mock(side_effect=PermissionError(13, "Permission denied")))
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert str(caught.value) == f"{path}: can't be read: Permission denied"


@pytest.mark.parametrize("name", ["two\nlines.yaml", "\x1b[2J.yaml", "x" * 5000 + ".yaml"])
def test_a_files_odd_name_keeps_the_error_one_short_line(name: str) -> None:
    with pytest.raises(ConfigError) as missing:
        load_config(name)
    with pytest.raises(ConfigError) as broken:
        parse_config("[", name)
    for line in (str(missing.value), str(broken.value)):
        assert line.isprintable()
        assert ".yaml:" in line
        assert len(line) < 400


def test_a_camera_may_be_given_as_a_number() -> None:
    assert parse_config("streams: {a: {source: 0}}", "c").streams["a"].source == "0"


def test_dates_and_base_60_numbers_stay_text() -> None:
    for text in ("2026-01-01", "1:30"):
        assert parse_config(f"streams: {{a: {{source: {text}}}}}", "c").streams["a"].source == text


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert load_config(path).streams == {"a": StreamConfig(source="x")}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_every_configuration_that_ships_is_good(path: Path) -> None:
    config = load_config(path)
    assert config.streams
    assert revalidate(config) == config
    assert parse_config(msgspec.json.encode(config).decode(), "c") == config


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_every_source_of_a_configuration_that_ships_can_be_made(path: Path) -> None:
    for stream in load_config(path).streams.values():
        make_source(stream.source, pace=stream.pace, loop=stream.loop)


def test_the_ready_pipelines_in_configurations_are_those_that_are_tested() -> None:
    address = "rtsp://USER:PASSWORD@HOST/PATH"
    texts = {path.name: path.read_text(encoding="utf-8") for path in CONFIGS}
    assert f"source: gst:{rtsp(address, JETSON)}\n" in texts["jetson.yaml"]
    assert f"source: gst:{file('clips/street.mp4', JETSON)}\n" in texts["jetson.yaml"]
    assert f"source: gst:{rtsp(address, RASPBERRY_PI)}\n" in texts["raspberry-pi.yaml"]
    assert f"source: gst:{rtsp(address, SOFTWARE['h265'], 'h265')}\n" in texts["many-cameras.yaml"]


TAKEN = ["tcp://*:5555", "tcp://h:*", "tcp://h:0", "tcp://h:65535", "tcp://[::1]:1", "tcp://[fe80::1%eth0]:1"]


@pytest.mark.parametrize("endpoint", [*TAKEN, "ipc:///run/x", "ipc:///run/a b"])
def test_endpoints_that_zeromq_takes_are_taken(endpoint: str) -> None:
    assert revalidate(ZeroMqConfig(endpoint=endpoint)).endpoint == endpoint


@pytest.mark.parametrize(
    "endpoint", ["tcp://h:65536", "tcp://h:-1", "tcp://h:", "tcp://h:\u0665", "tcp://h:1\n"]
)
def test_endpoints_that_zeromq_can_not_take_are_refused(endpoint: str) -> None:
    with pytest.raises(ConfigError, match="command line: endpoint: expected tcp"):
        revalidate(ZeroMqConfig(endpoint=endpoint))


@pytest.mark.parametrize("seconds", [math.inf, math.nan])
def test_a_changed_number_must_be_finite_too(seconds: float) -> None:
    with pytest.raises(ConfigError, match="command line: seconds: expected a number above 0"):
        revalidate(msgspec.structs.replace(parse_config(GOOD, "c"), seconds=seconds))


def test_a_changed_configuration_is_checked_again() -> None:
    with pytest.raises(ConfigError, match="command line: policy: expected live or lossless"):
        revalidate(msgspec.structs.replace(parse_config(GOOD, "c"), policy="fast"))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)
keys = st.sampled_from([*Config.__struct_fields__, *StreamConfig.__struct_fields__, "zeromq", "other"])


# What YAML's scanner, parser and resolver treat specially, so that chance combines it.
PIECES = [
    *"{}[],:?-&*!|>'\"%@`#~.<=\\ \n\t01a",
    "\n  ",
    "\n- ",
    ": ",
    "---\n",
    "...\n",
    "%YAML ",
    "!!",
    "<<: ",
]
PIECES += ["\\U00110000", "\\ud800", "\\x00", ".nan", "1.0e+999", "0x", "1:30", "yes", "null", "\0", "\ufeff"]


def assert_one_short_line_or_good(read: str | Callable[[], Config]) -> None:
    line = ""
    try:
        parse_config(read, "c.yaml") if isinstance(read, str) else read()
    except ConfigError as error:
        line = str(error)
    assert line.isprintable()
    assert len(line) < 400


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_good_or_one_short_line(text: str) -> None:
    assert_one_short_line_or_good(text)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_any_yaml_is_good_or_one_short_line(text: str) -> None:
    assert_one_short_line_or_good(text)
    assert_one_short_line_or_good(GOOD + text)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_good_or_one_short_line(data: bytes) -> None:
    with NamedTemporaryFile(suffix=".yaml") as file:
        file.write(data)
        file.flush()
        assert_one_short_line_or_good(lambda: load_config(file.name))


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(keys, values | st.dictionaries(keys, values, max_size=3), max_size=5))
def test_any_structure_is_good_or_one_short_line(structure: dict[str, object]) -> None:
    assert_one_short_line_or_good(msgspec.json.encode(structure).decode())
    assert_one_short_line_or_good(msgspec.json.encode({"streams": {"a": structure}}).decode())
