"""sources: one file per kind of camera; each opens a URI and yields pictures with capture stamps."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from edge_engine.sources.uri import parse_uri

if TYPE_CHECKING:
    from edge_engine.sources.source import Source

SOURCES = {
    "camera": "camera:CameraSource",
    "file": "file:FileSource",
    "folder": "folder:FolderSource",
    "test": "test_pattern:TestPatternSource",
}
"""Each kind's class, called with (uri, pace=…, loop=…); its module loads when first asked for."""


def make_source(uri: str, *, pace: bool, loop: bool) -> Source:
    """The source that `uri` names (its grammar: uri.py), not yet open.

    `pace` releases recorded pictures at their own times, as a camera would, and `loop` starts them
    over for ever; a live camera ignores both. Raises ConfigError for a malformed URI and SourceError
    for a package that isn't installed.
    """
    parsed = parse_uri(uri)
    module, attribute = SOURCES[parsed.kind].split(":")
    source: Source = getattr(import_module(f"{__name__}.{module}"), attribute)(parsed, pace=pace, loop=loop)
    return source
