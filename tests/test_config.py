"""Configuration: what is wrong is said in one line, with file, line, key, expected and found."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_engine.config import Config, StreamConfig, ZeroMqConfig, load_config, parse_config, revalidate
from edge_engine.errors import ConfigError
from edge_engine.yaml_source import MAX_BYTES

CONFIGS = sorted((Path(__file__).parents[1] / "configs").glob("*.yaml"))
GOOD = "streams: {a: {source: x}}\n"

BAD = {
    "wrong type": (
        "streams:\n  a:\n    source: x\n    max_age_ms: fast\n",
        'c.yaml:4: streams.a.max_age_ms: expected an integer from 1 to 600000, found "fast"',
    ),
    "out of range": (GOOD + "workers: 99", "c.yaml:2: workers: expected an integer from 1 to 64, found 99"),
    "not one of the words": (
        GOOD + "policy: fast",
        'c.yaml:2: policy: expected live or lossless, found "fast"',
    ),
    "unknown key": (GOOD + "polcy: live", 'c.yaml:2: polcy: unknown key "polcy"; did you mean "policy"?'),
    "unknown key within": (
        "streams:\n  a:\n    source: x\n    sauce: y\n",
        'c.yaml:4: streams.a.sauce: unknown key "sauce"; did you mean "source"?',
    ),
    "missing key": (
        "streams:\n  a: {}\n",
        'c.yaml:2: streams.a: key "source" is missing; expected a source\'s URI',
    ),
    "duplicate key": ("a: 1\nb: 2\na: 3\n", 'c.yaml:3: key "a" is there twice, first on line 1'),
    "duplicate stream": (
        "streams:\n  a: {source: x}\n  a: {source: y}\n",
        'c.yaml:3: key "a" is there twice, first on line 2',
    ),
    "yes for a number": (
        "streams: {a: {source: x, max_age_ms: yes}}",
        "c.yaml:1: streams.a.max_age_ms: expected an integer from 1 to 600000, found true",
    ),
    "number for yes": (
        "streams: {a: {source: x, pace: 1}}",
        "c.yaml:1: streams.a.pace: expected true or false, found 1",
    ),
    "no streams": (
        "streams: {}",
        "c.yaml:1: streams: expected at least one named stream, found an empty mapping",
    ),
    "streams as a list": (
        "streams: [a]",
        "c.yaml:1: streams: expected at least one named stream, found a list",
    ),
    "bad stream name": (
        "streams: {a b: {source: x}}",
        'c.yaml:1: streams.a b: expected a stream\'s name of up to 64 letters, digits, - or _, found "a b"',
    ),
    "empty source": (
        "streams: {a: {source: ''}}",
        'c.yaml:1: streams.a.source: expected a source\'s URI, found ""',
    ),
    "bad endpoint": (
        GOOD + "outputs:\n  zeromq:\n    endpoint: nowhere",
        (
            "c.yaml:4: outputs.zeromq.endpoint: expected tcp://HOST:PORT, ipc://PATH or inproc://NAME, "
            'found "nowhere"'
        ),
    ),
    "nothing for a mapping": (
        GOOD + "outputs:",
        "c.yaml:2: outputs: expected a mapping of keys and values, found nothing",
    ),
    "not a number": (GOOD + "score_threshold: .nan", "c.yaml:2: .nan is no finite number"),
    "infinite": (GOOD + "seconds: -.inf", "c.yaml:2: -.inf is no finite number"),
    "zero seconds": (GOOD + "seconds: 0", "c.yaml:2: seconds: expected a number above 0, found 0"),
    "huge number": (GOOD + "frames: " + "9" * 5000, "c.yaml:2: a number of 5000 digits"),
    "a list on top": ("[1, 2]", "c.yaml: expected a mapping of keys and values, found a list"),
    "a word on top": ("hello", 'c.yaml: expected a mapping of keys and values, found "hello"'),
    "empty": ("", "c.yaml: the file is empty; expected a configuration"),
    "comments only": ("# nothing\n\n", "c.yaml: the file is empty; expected a configuration"),
    "anchor": ("a: &x [1]", "c.yaml:1: anchors and aliases (& and *) are not supported; write the value out"),
    "alias": ("a: *x", "c.yaml:1: anchors and aliases (& and *) are not supported; write the value out"),
    "tag": (
        "a: !!python/name:os.system",
        "c.yaml:1: tags are not supported: tag:yaml.org,2002:python/name:os…",
    ),
    "merge key": ("<<: {a: 1}", "c.yaml:1: expected a plain key"),
    "list as key": ("? [a]\n: b", "c.yaml:1: expected a plain key"),
    "deep lists": ("[" * 100_000, "c.yaml:1: nested deeper than 32 levels"),
    "deep mappings": ("{a: " * 50_000, "c.yaml:1: nested deeper than 32 levels"),
    "two documents": (GOOD + "---\na: 1", "c.yaml:2: a second document; expected one"),
    "broken syntax": (GOOD + "policy: [live", "c.yaml:2: not valid YAML: "),
    "tabs": ("streams:\n\ta: 1", "c.yaml:2: not valid YAML: "),
    "control characters": (GOOD + "model: \x07", "c.yaml: not valid YAML: "),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_configuration_is_one_exact_line(case: str) -> None:
    text, expected = BAD[case]
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "c.yaml")
    line = str(caught.value)
    assert "\n" not in line
    if expected.endswith((": ", "…")):
        assert line.startswith(expected.removesuffix("…"))
    else:
        assert line == expected


def test_a_bomb_of_aliases_is_refused_at_its_first_anchor() -> None:
    bomb = "a: &a [x, x]\n" + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)}]\n" for i in range(20))
    with pytest.raises(ConfigError, match="anchors"):
        parse_config(bomb, "bomb.yaml")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x80\x81\xff" * 10, "not a text file"),
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


@pytest.mark.parametrize("endpoint", ["tcp://*:5555", "tcp://[::1]:5555", "ipc:///run/x", "inproc://x"])
def test_endpoints_that_zeromq_takes_are_taken(endpoint: str) -> None:
    assert revalidate(ZeroMqConfig(endpoint=endpoint)).endpoint == endpoint


def test_a_changed_configuration_is_checked_again() -> None:
    with pytest.raises(ConfigError, match="command line: policy: expected live or lossless"):
        revalidate(msgspec.structs.replace(parse_config(GOOD, "c"), policy="fast"))  # type: ignore[arg-type]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)
keys = st.sampled_from([*Config.__struct_fields__, *StreamConfig.__struct_fields__, "zeromq", "other"])


def assert_one_short_line_or_good(text: str) -> None:
    line = ""
    try:
        parse_config(text, "c.yaml")
    except ConfigError as error:
        line = str(error)
    assert line.isprintable()
    assert len(line) < 400


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_good_or_one_short_line(text: str) -> None:
    assert_one_short_line_or_good(text)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(keys, values | st.dictionaries(keys, values, max_size=3), max_size=5))
def test_any_structure_is_good_or_one_short_line(structure: dict[str, object]) -> None:
    assert_one_short_line_or_good(msgspec.json.encode(structure).decode())
    assert_one_short_line_or_good(msgspec.json.encode({"streams": {"a": structure}}).decode())
