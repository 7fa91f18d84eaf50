"""sources: one file per kind of camera; each opens a URI and yields pictures with capture stamps."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from edge_engine.errors import SourceError
from edge_engine.sources.live import LiveSource, Patience
from edge_engine.sources.source import Source
from edge_engine.sources.uri import SourceUri, parse_uri
from edge_engine.state import StreamStatus

SOURCES = {
    "camera": "camera:CameraSource",
    "csi": "csi:CsiSource",
    "file": "file:FileSource",
    "folder": "folder:FolderSource",
    "gstreamer": "gstreamer:GStreamerSource",
    "http": "http:HttpSource",
    "lavfi": "lavfi:LavfiSource",
    "mcap": "mcap:McapSource",
    "network": "network:NetworkSource",
    "picamera": "picamera:PicameraSource",
    "push": "push:PushSource",
    "test": "test_pattern:TestPatternSource",
    "zeromq": "zeromq:ZeroMqSource",
}
"""Each kind's class, called with (uri, pace=…, loop=…); its module loads when first asked for."""


def make_source(
    uri: str,
    *,
    pace: bool,
    loop: bool,
    patience: Patience | None = None,
    status: StreamStatus | None = None,
) -> Source:
    """The source that `uri` names (its grammar: uri.py), not yet open.

    `pace` releases recorded pictures at their own times, as a camera would, and `loop` starts them over for
    ever; a live camera ignores both. `patience` is for live sources, whose state is kept in `status`. Raises
    ConfigError for a malformed URI and SourceError for a package that isn't installed.
    """
    parsed = parse_uri(uri)
    kind = _class_of(parsed)

    def make() -> Source:
        source: Source = kind(parsed, pace=pace, loop=loop)
        return source

    if not kind.is_live:
        return make()
    return LiveSource(make, parsed.text, patience or Patience(), status or StreamStatus(parsed.text))


def _class_of(uri: SourceUri) -> Any:  # noqa: ANN401 - each kind's own
    module, attribute = SOURCES[uri.kind].split(":")
    try:
        return getattr(import_module(f"{__name__}.{module}"), attribute)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith(__name__.partition(".")[0]):
            raise
        cure = f"pip install 'edge-engine[{uri.kind}]'"
        raise SourceError(f"source {uri.text}: needs {error.name}, which isn't installed: {cure}") from None
