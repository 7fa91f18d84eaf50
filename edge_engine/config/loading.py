"""Loading: a configuration from a file, from text, or changed by a command line."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from edge_engine.config.engine import Config
from edge_engine.yaml.source import Document, parse, read_text
from edge_engine.yaml.struct import build

S = TypeVar("S", bound=msgspec.Struct)


def load_config(path: str | Path) -> Config:
    """A configuration from a YAML file; ConfigError in one line when it can't be used."""
    return parse_config(read_text(Path(path)), str(path))


def parse_config(text: str, name: str) -> Config:
    """The same from text; `name` stands for the file in errors."""
    return build(Config, parse(text, name))


def revalidate(struct: S) -> S:
    """A changed struct, checked like one from a file."""
    document = Document("command line", msgspec.to_builtins(struct))
    return build(type(struct), document)
