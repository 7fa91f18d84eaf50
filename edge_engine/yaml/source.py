"""Reads YAML as plain values, with the line of every key: a subset that can't explode.

Mappings, lists, strings, numbers, booleans and null. Refused: anchors and aliases (with which a few lines
unfold into gigabytes), tags, merge keys, duplicate keys, control characters, octal numbers, several
documents, more than MAX_DEPTH levels, and more than MAX_VALUES keys and values. A key is text as written,
and so is a password, which no error shows.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from edge_engine.errors import ConfigError

MAX_BYTES = 1 << 20
MAX_DEPTH = 32
MAX_VALUES = 50_000
_MAX_DIGITS = 40
_MAX_NAME = 200
_MAX_KEY = 100
_OCTAL = re.compile(r"[-+]?0[0-7_]+")
_TAG = "tag:yaml.org,2002:"
_PASSWORD = "password"

KeyPath: TypeAlias = tuple[str, ...]


@dataclass
class Document:
    """The values of a file, and where each key of them stands: `lines[("streams", "front")]` is 1-based.

    Values that come from no file have no lines. `name` is fit to be shown.
    """

    name: str
    value: Any = None
    lines: dict[KeyPath, int] = field(default_factory=dict)

    def line_of(self, path: KeyPath) -> int:
        """The line of a key, or of the nearest one around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def error(self, path: KeyPath, text: str, line: int | None = None) -> ConfigError:
        """FILE:LINE: KEY: text, with the key's own line unless another is given."""
        line = self.line_of(path) if line is None and self.lines else line
        where = self.name if line is None else f"{self.name}:{line}"
        key = shown(".".join(path), _MAX_KEY)
        return ConfigError(f"{where}: {key}: {text}" if key else f"{where}: {text}")


def read_text(path: Path) -> str:
    """A small regular text file's content; ConfigError for anything else. Never waits on a device."""
    name = shown_name(str(path))
    try:
        if path.is_dir():
            raise ConfigError(f"{name}: expected a YAML file, found a directory")
        if path.exists() and not path.is_file():
            raise ConfigError(f"{name}: expected a YAML file, found a device or a pipe")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a path"
        raise ConfigError(f"{name}: can't be read: {reason}") from None
    if len(data) > MAX_BYTES:
        raise ConfigError(f"{name}: larger than {MAX_BYTES // 1024} KiB; expected a short YAML file")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{name}:{line}: not a text file; expected YAML in UTF-8") from None


def parse(text: str, name: str) -> Document:
    """Raises ConfigError with file and line."""
    document = Document(shown_name(name))
    try:
        loader = yaml.SafeLoader(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        problem = f"not valid YAML: the character U+{ord(text[error.position]):04X} is not allowed"
        raise document.error((), problem, line) from None
    _Reader(loader, document).read()
    return document


def shown(text: str, limit: int = 60) -> str:
    """Text from a file, on one line, without control characters, cut to a length."""
    line = "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))
    return line if len(line) <= limit else line[: limit - 1] + "…"


def shown_name(name: str) -> str:
    """A file's name on one line; of a long one, the end."""
    line = shown(name, len(name))
    return line if len(line) <= _MAX_NAME else "…" + line[1 - _MAX_NAME :]


def _line(event: Any) -> int:  # noqa: ANN401 - PyYAML's events
    return int(event.start_mark.line) + 1


class _Reader:
    """One pass over the parser's events; nothing is composed or constructed that was not asked for."""

    def __init__(self, loader: Any, document: Document) -> None:  # noqa: ANN401 - PyYAML's loaders
        self._loader = loader
        self._document = document
        self._n_values = 0

    def read(self) -> None:
        self._next()  # the stream's start
        event = self._next()
        if isinstance(event, yaml.StreamEndEvent):
            raise self._document.error((), "the file is empty; expected a configuration")
        self._document.lines[()] = _line(self._peek())
        self._document.value = self._value((), depth=0)
        self._next()
        event = self._next()
        if not isinstance(event, yaml.StreamEndEvent):
            raise self._error(event, (), "a second document; expected one")

    def _next(self) -> Any:  # noqa: ANN401
        self._peek()
        return self._loader.get_event()

    def _peek(self) -> Any:  # noqa: ANN401
        """The next event; PyYAML lets slip plain ValueErrors for some numbers in escapes and directives."""
        try:
            return self._loader.peek_event()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark or self._loader.get_mark()
            reason = error.problem or error.context or "unreadable"
        except (ValueError, OverflowError):
            mark, reason = self._loader.get_mark(), "a number out of range"
        problem = f"not valid YAML at column {mark.column + 1}: {shown(reason)}"
        raise self._document.error((), problem, mark.line + 1)

    def _error(self, event: Any, path: KeyPath, text: str) -> ConfigError:  # noqa: ANN401
        return self._document.error(path, text, _line(event))

    def _value(self, path: KeyPath, depth: int) -> Any:  # noqa: ANN401
        event = self._next()
        self._check(event, path, depth)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path, depth)
        return self._mapping(path, depth)

    def _check(self, event: Any, path: KeyPath, depth: int) -> None:  # noqa: ANN401
        """Refuses what a configuration has no use for."""
        self._n_values += 1
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            problem = "anchors and aliases (& and *) are not supported; write the value out"
        elif event.tag is not None:
            problem = f"tags are not supported: {shown(event.tag)}; remove it"
            if path[-1:] == (_PASSWORD,):
                problem = "tags are not supported; put a password that begins with ! in quotes"
        elif depth > MAX_DEPTH:
            path, problem = (), f"nested deeper than {MAX_DEPTH} levels"
        elif self._n_values > MAX_VALUES:
            problem = f"more than {MAX_VALUES} keys and values; expected a short file"
        elif isinstance(event, yaml.ScalarEvent) and (bad := _control_character(event.value)):
            problem = f"expected plain text, found the control character U+{ord(bad):04X}"
        else:
            return
        raise self._error(event, path, problem)

    def _sequence(self, path: KeyPath, depth: int) -> list[Any]:
        values: list[Any] = []
        while not isinstance(self._peek(), yaml.SequenceEndEvent):
            values.append(self._value((*path, str(len(values))), depth + 1))
        self._next()
        return values

    def _mapping(self, path: KeyPath, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while not isinstance(self._peek(), yaml.MappingEndEvent):
            event = self._next()
            key = self._key(event, path, depth)
            here = (*path, key)
            if key in values:
                first = self._document.lines[here]
                raise self._error(event, path, f'key "{shown(key)}" is there twice, first on line {first}')
            self._document.lines[here] = _line(event)
            values[key] = self._value(here, depth + 1)
        self._next()
        return values

    def _key(self, event: Any, path: KeyPath, depth: int) -> str:  # noqa: ANN401
        self._check(event, path, depth + 1)
        if not isinstance(event, yaml.ScalarEvent):
            found = "a list" if isinstance(event, yaml.SequenceStartEvent) else "a mapping"
            raise self._error(event, path, f"expected a plain key, found {found}")
        if event.value == "<<" and event.implicit[0]:
            raise self._error(event, path, "merge keys (<<) are not supported; write the keys out")
        return str(event.value)

    def _scalar(self, event: yaml.ScalarEvent, path: KeyPath) -> Any:  # noqa: ANN401
        """The value as YAML 1.1 reads it, but dates and base-60 numbers stay text."""
        text: str = event.value
        tag = self._loader.resolve(yaml.ScalarNode, text, event.implicit).removeprefix(_TAG)
        if tag == "null":
            return None
        if tag == "bool" and path[-1:] != (_PASSWORD,):
            return text.lower() in {"yes", "true", "on"}
        if tag not in {"int", "float"} or ":" in text or path[-1:] == (_PASSWORD,):
            return text
        if len(text) > _MAX_DIGITS:
            raise self._error(
                event, path, f"expected a number of up to {_MAX_DIGITS} digits, found {shown(text)}"
            )
        if _OCTAL.fullmatch(text):
            raise self._error(event, path, f"expected a number without a leading zero, found {text}")
        node = yaml.ScalarNode(_TAG + tag, text)
        construct = self._loader.construct_yaml_int if tag == "int" else self._loader.construct_yaml_float
        try:
            number = construct(node)
        except ValueError:
            return text
        if not math.isfinite(number):
            raise self._error(event, path, f"expected a finite number, found {text}")
        return number


def _control_character(text: str) -> str | None:
    """The first one, or half of a surrogate pair, which no file's name and no message can hold."""
    if text.isprintable():
        return None
    return next((c for c in text if unicodedata.category(c) in {"Cc", "Cs"}), None)
