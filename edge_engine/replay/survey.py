"""Survey: what lies in a recording, before it is run again."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from edge_engine.config import Config, OutputsConfig, RealtimeConfig, parse_config
from edge_engine.errors import SourceError
from edge_engine.recording.header import Header
from edge_engine.recording.reading import RecordedFrame, RecordingReader
from edge_engine.wire import DescribeMessage, ResultMessage

_AS_FAST_AS_HERE: dict[str, Any] = {
    "hint": "auto",
    "workers": None,
    "threads": None,
    "spinning": None,
    "pinned": None,
    "realtime": RealtimeConfig(),
}
"""What changes no answer, and belongs to the machine that recorded."""


@dataclass(slots=True)
class RecordedStream:
    """`seqs` of its frames, in their order; `results` of those, by seq; `other_results`: of frames that were
    not recorded."""

    description: DescribeMessage | None = None
    seqs: list[int] = field(default_factory=list)
    results: dict[int, ResultMessage] = field(default_factory=dict)
    other_results: int = 0


@dataclass(frozen=True, slots=True)
class Survey:
    """`broken_at`: the byte at which the file ends without a proper end, or is damaged."""

    path: Path
    header: Header
    streams: dict[str, RecordedStream]
    broken_at: int | None


def survey(path: Path, stream: str | None = None) -> Survey:
    """Of all streams, or of one. Raises SourceError, also where there is no frame to run anything on."""
    reader = RecordingReader(path)
    try:
        if stream is not None:
            reader.expect(stream)
        names = reader.header.streams if stream is None else (stream,)
        streams = {name: RecordedStream() for name in names}
        for item in reader.items(stream):
            _note(item, streams)
    finally:
        reader.close()
    empty = [name for name, each in streams.items() if not each.seqs]
    if len(empty) == len(streams):
        cut = (
            ""
            if reader.broken_at is None
            else f", which was cut off or is damaged at byte {reader.broken_at}"
        )
        raise SourceError(f"{path}{cut}: holds no frames of {', '.join(names)}; record with --frames all")
    for name in empty:
        del streams[name]
    return Survey(path, reader.header, streams, reader.broken_at)


def _note(item: RecordedFrame | ResultMessage | DescribeMessage, streams: dict[str, RecordedStream]) -> None:
    if isinstance(item, RecordedFrame):
        streams[item.message.stream].seqs.append(item.message.seq)
        return
    stream = streams[item.stream]
    if isinstance(item, DescribeMessage):
        stream.description = item
    elif stream.seqs and stream.seqs[-1] == item.seq:  # a frame's result follows it
        stream.results[item.seq] = item
    else:
        stream.other_results += 1


def config_of(found: Survey) -> Config:
    """The engine's that made the recording, on the recorded frames: lossless, as fast as this machine can,
    without outputs. Raises ConfigError for one that this version can't use."""
    recorded = parse_config(found.header.config, f"the configuration in {found.path}")
    streams = {
        name: replace(
            recorded.streams[name], source=f"mcap:{found.path}?stream={name}", pace=False, loop=False
        )
        for name in found.streams
    }
    whole = replace(recorded, streams=streams, policy="lossless", outputs=OutputsConfig())
    return replace(whole, frames=None, seconds=None, **_AS_FAST_AS_HERE)
