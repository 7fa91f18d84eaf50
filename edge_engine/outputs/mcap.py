"""MCAP: frames as they came, results and heartbeats, in a file that Foxglove shows and replay reads.

Recording lies behind publish: a frame is recorded with its result, once that is out, and what the live engine
dropped is in the results' counters alone. The pixels are the frame's own, which no source writes to while
somebody refers to them (sources/pool.py), so that nothing is copied before the writing thread does.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from edge_engine.clock import monotonic_ns
from edge_engine.config import Config, McapConfig, OutputsConfig
from edge_engine.outputs.output import Circumstances, Output
from edge_engine.outputs.queued import MOST_WAITING, Published, Pulse, QueuedOutput
from edge_engine.outputs.rotation import make_way
from edge_engine.outputs.rows import health_of, message_of
from edge_engine.recording.header import Header
from edge_engine.recording.writing import CHUNK_BYTES, RecordingWriter
from edge_engine.sources.uri import masked
from edge_engine.wire import HEARTBEAT_NS

_BYTES_PER_MB = 1_000_000
_MOST_PICTURES_WAITING = 32  # as many as a source's pool remembers; of 1280x720 they are 44 MB
_LOOK_S = 0.5


def open_output(config: McapConfig, circumstances: Circumstances) -> Output:
    """A disk that is slow, full or gone costs a live engine frames and results of the recording, not of the
    others; a lossless one waits for a slow disk."""
    return QueuedOutput(
        "mcap",
        config.path,
        McapFiles(config, circumstances),
        waits=circumstances.waits,
        most_waiting=_MOST_PICTURES_WAITING if config.every else MOST_WAITING,
        look_s=_LOOK_S,
    )


class McapFiles:
    """One after the other, each whole in itself. What is gathered and can't be written yet waits in memory,
    a chunk and what came with it; meanwhile nothing else is taken on."""

    def __init__(self, config: McapConfig, circumstances: Circumstances) -> None:
        self._config, self._circumstances = config, circumstances
        self._path, self._longest = Path(config.path), config.max_mb * _BYTES_PER_MB
        self._writer: RecordingWriter | None = None
        self._seen: dict[str, int] = {}
        self._next_beat_ns = 0

    def write(self, published: Sequence[Published], pulse: Pulse) -> None:
        writer = self._ready()
        for each in published:
            if writer.length >= self._longest:
                self._end(writer)
                writer = self._ready()
            self._add(writer, each)
        if pulse.health and monotonic_ns() >= self._next_beat_ns:
            self._next_beat_ns = monotonic_ns() + HEARTBEAT_NS
            for stream, health in pulse.health.items():
                session = self._circumstances.session
                writer.add_health(health_of(stream, session, pulse.beaten_ns, health))

    def _ready(self) -> RecordingWriter:
        """With nothing that still waits for the disk."""
        if self._writer is not None:
            self._drain(self._writer)
            return self._writer
        make_way(self._path, self._config.files)
        described, compression = self._circumstances.descriptions.values(), self._config.compression
        chunk_bytes = min(CHUNK_BYTES, self._longest // 4)
        self._writer = RecordingWriter(self._path, self._header(), described, compression, chunk_bytes)
        return self._writer

    def _drain(self, writer: RecordingWriter) -> None:
        try:
            writer.drain()
        except FileNotFoundError:  # somebody took it away; the next one begins anew
            self._writer = None
            raise

    def _end(self, writer: RecordingWriter) -> None:
        writer.finish()
        self._drain(writer)
        writer.close()
        self._writer = None

    def _add(self, writer: RecordingWriter, published: Published) -> None:
        result, counts = published
        number = self._seen.get(result.stream, 0)
        self._seen[result.stream] = number + 1
        if self._config.every and number % self._config.every == 0:
            writer.add_frame(result.frame)
        writer.add_result(message_of(result, counts))

    def _header(self) -> Header:
        circumstances, config = self._circumstances, self._circumstances.config
        return Header(
            session=circumstances.session,
            streams=tuple(circumstances.descriptions),
            config=msgspec.json.encode(recordable(config)).decode() if config is not None else "",
        )

    def close(self) -> None:
        """The last call: what can't be written now never is."""
        if self._writer is not None:
            self._end(self._writer)


def recordable(config: Config) -> Config:
    """Without outputs, and without what the sources' addresses keep secret."""
    streams = {
        name: msgspec.structs.replace(stream, source=masked(stream.source))
        for name, stream in config.streams.items()
    }
    return msgspec.structs.replace(config, streams=streams, outputs=OutputsConfig())
