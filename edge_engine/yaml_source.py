"""Reads YAML as plain values, with the line of every key: a subset that can't explode.

Mappings, lists, strings, numbers, booleans and null. Refused: anchors and aliases (with which a few lines
unfold into gigabytes), tags, merge keys, duplicate keys, several documents, and more than MAX_DEPTH levels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from edge_engine.errors import ConfigError

MAX_BYTES = 1 << 20
MAX_DEPTH = 32
_MAX_DIGITS = 40
_TAG = "tag:yaml.org,2002:"

KeyPath: TypeAlias = tuple[str, ...]


@dataclass
class Document:
    """The values of a file, and where each key of them stands: `lines[("streams", "front")]` is 1-based."""

    name: str
    value: Any = None
    lines: dict[KeyPath, int] = field(default_factory=dict)

    def line_of(self, path: KeyPath) -> int:
        """The line of a key, or of the nearest one around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read_text(path: Path) -> str:
    """A small regular text file's content; ConfigError for anything else. Never waits on a device."""
    try:
        if path.is_dir():
            raise ConfigError(f"{path}: expected a YAML file, found a directory")
        if path.exists() and not path.is_file():
            raise ConfigError(f"{path}: expected a YAML file, found a device or a pipe")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise ConfigError(f"{path}: larger than {MAX_BYTES // 1024} KiB; expected a short YAML file")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not a text file; expected YAML in UTF-8") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a path"
        raise ConfigError(f"{shown(str(path))}: can't be read: {reason}") from None


def parse(text: str, name: str) -> Document:
    """Raises ConfigError with file and line."""
    document = Document(name)
    try:
        _Reader(yaml.SafeLoader(text), document).read()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name}:{mark.line + 1}" if mark else name
        raise ConfigError(
            f"{where}: not valid YAML: {shown(error.problem or error.context or '?')}"
        ) from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{name}: not valid YAML: {shown(str(error))}") from None
    return document


def shown(text: str, limit: int = 60) -> str:
    """Text from a file, on one line, without control characters, cut to a length."""
    line = "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _line(event: Any) -> int:  # noqa: ANN401 - PyYAML's events
    return int(event.start_mark.line) + 1


class _Reader:
    """One pass over the parser's events; nothing is composed or constructed that was not asked for."""

    def __init__(self, loader: Any, document: Document) -> None:  # noqa: ANN401 - PyYAML's loaders
        self._loader = loader
        self._document = document

    def read(self) -> None:
        self._next()  # the stream's start
        if isinstance(self._loader.peek_event(), yaml.StreamEndEvent):
            raise ConfigError(f"{self._document.name}: the file is empty; expected a configuration")
        self._next()
        self._document.value = self._value((), depth=0)
        self._next()
        event = self._next()
        if not isinstance(event, yaml.StreamEndEvent):
            raise self._error(event, "a second document; expected one")

    def _next(self) -> Any:  # noqa: ANN401
        return self._loader.get_event()

    def _error(self, event: Any, text: str) -> ConfigError:  # noqa: ANN401
        return ConfigError(f"{self._document.name}:{_line(event)}: {text}")

    def _value(self, path: KeyPath, depth: int) -> Any:  # noqa: ANN401
        event = self._next()
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise self._error(event, "anchors and aliases (& and *) are not supported; write the value out")
        if event.tag is not None:
            raise self._error(event, f"tags are not supported: {shown(event.tag)}; remove it")
        if depth > MAX_DEPTH:
            raise self._error(event, f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path, depth)
        return self._mapping(path, depth)

    def _sequence(self, path: KeyPath, depth: int) -> list[Any]:
        values: list[Any] = []
        while not isinstance(self._loader.peek_event(), yaml.SequenceEndEvent):
            values.append(self._value((*path, str(len(values))), depth + 1))
        self._next()
        return values

    def _mapping(self, path: KeyPath, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while not isinstance(self._loader.peek_event(), yaml.MappingEndEvent):
            event = self._loader.peek_event()
            key = self._value((), depth + 1)
            if not isinstance(event, yaml.ScalarEvent) or event.value == "<<":
                raise self._error(event, "expected a plain key")
            key = key if isinstance(key, str) else event.value
            here = (*path, key)
            if key in values:
                first = self._document.lines[here]
                raise self._error(event, f'key "{shown(key)}" is there twice, first on line {first}')
            self._document.lines[here] = _line(event)
            values[key] = self._value(here, depth + 1)
        self._next()
        return values

    def _scalar(self, event: yaml.ScalarEvent) -> Any:  # noqa: ANN401
        """The value as YAML 1.1 reads it, but dates and base-60 numbers stay text."""
        text: str = event.value
        tag = self._loader.resolve(yaml.ScalarNode, text, event.implicit).removeprefix(_TAG)
        if tag == "null":
            return None
        if tag == "bool":
            return text.lower() in {"yes", "true", "on"}
        if tag not in {"int", "float"} or ":" in text:
            return text
        if len(text) > _MAX_DIGITS:
            raise self._error(event, f"a number of {len(text)} digits")
        node = yaml.ScalarNode(_TAG + tag, text)
        construct = self._loader.construct_yaml_int if tag == "int" else self._loader.construct_yaml_float
        try:
            number = construct(node)
        except ValueError:
            return text
        if not math.isfinite(number):
            raise self._error(event, f"{shown(text)} is no finite number")
        return number
