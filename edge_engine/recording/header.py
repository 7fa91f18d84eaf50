"""Header: what a recording says of itself, in a metadata record at the head of the file."""

from __future__ import annotations

import msgspec

RECORDING = "edge_engine.recording"
VERSION = 1


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """`streams`: their names. `config`: the engine's configuration as JSON, without its outputs, the
    credentials in its sources hidden."""

    version: int = VERSION
    session: str
    streams: tuple[str, ...]
    config: str


def as_metadata(header: Header) -> dict[str, str]:
    """MCAP's metadata: names and values, both text."""
    return {"header": msgspec.json.encode(header).decode()}


def header_of(metadata: dict[str, str]) -> Header:
    """Raises msgspec.MsgspecError for one that isn't ours."""
    return msgspec.json.decode(metadata.get("header", ""), type=Header)
