"""RecordingWriter: one MCAP file, from its header to its index."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec
from mcap.writer import CompressionType, Writer

from edge_engine.clock import NS_PER_S, clock_id, monotonic_ns, utc_ns
from edge_engine.frame import Frame
from edge_engine.recording import schemas
from edge_engine.recording.annotations import drawn
from edge_engine.recording.chroma import ChromaLocations
from edge_engine.recording.frames import FrameMessage, described, image_of
from edge_engine.recording.growing import GrowingFile
from edge_engine.recording.header import RECORDING, Header, as_metadata
from edge_engine.recording.protobuf import encode_compressed, encode_raw
from edge_engine.recording.schemas import Schema
from edge_engine.wire import DescribeMessage, HealthMessage, ResultMessage

Compression = Literal["none", "lz4", "zstd"]

CHUNK_BYTES = 4 << 20
"""A chunk is read and unpacked as a whole; what power loss takes is one of them, or CHUNK_NS."""

CHUNK_NS = NS_PER_S
_COMPRESSIONS = {
    "none": CompressionType.NONE,
    "lz4": CompressionType.LZ4,
    "zstd": CompressionType.ZSTD,
}
_SEQUENCE_BITS = 0xFFFFFFFF


class RecordingWriter:
    """Used by one thread. `add_…` only gather; `drain` writes what is due, may fail, and be tried again."""

    def __init__(
        self,
        path: Path,
        header: Header,
        descriptions: Iterable[DescribeMessage],
        compression: Compression,
        chunk_bytes: int = CHUNK_BYTES,
    ) -> None:
        """Raises OSError; a file that is there is emptied."""
        self._file = GrowingFile(path)
        self._writer = Writer(self._file, chunk_bytes, _COMPRESSIONS[compression])  # type: ignore[arg-type]
        self._schemas: dict[str, int] = {}
        self._channels: dict[str, int] = {}
        self._encoder = msgspec.json.Encoder()
        self._session = header.session
        self._locations = ChromaLocations()
        self._next_chunk_ns = 0
        self._is_finished = False
        self._writer.start(profile="", library="edge_engine")
        self._writer.add_metadata(RECORDING, as_metadata(header))
        now_utc_ns = utc_ns()
        for description in descriptions:
            self._add_json(schemas.DESCRIBE, description, now_utc_ns, now_utc_ns)

    @property
    def length(self) -> int:
        """Bytes, those that wait included but for the chunk that is being gathered."""
        return self._file.tell()

    def add_frame(self, frame: Frame) -> None:
        """Of a frame that has its pixels."""
        message = described(frame, self._session, clock_id(), self._locations)
        image = image_of(frame.pixels)
        stamp_ns, sequence = frame.captured_utc_ns, frame.seq
        self._add_json(schemas.FRAME, message, stamp_ns, stamp_ns, sequence)
        if isinstance(image, bytes):
            packed = encode_compressed(stamp_ns, frame.stream, image)
            self._add(schemas.COMPRESSED_IMAGE, frame.stream, packed, stamp_ns, stamp_ns, sequence)
        else:
            packed = encode_raw(stamp_ns, frame.stream, image)
            self._add(schemas.RAW_IMAGE, frame.stream, packed, stamp_ns, stamp_ns, sequence)

    def add_result(self, result: ResultMessage) -> None:
        captured_ns = result.captured_utc_ns
        published_ns = captured_ns + result.published_ns - result.captured_ns
        to_draw = self._encoder.encode(drawn(result))
        self._add_json(schemas.RESULT, result, captured_ns, published_ns, result.seq)
        self._add(schemas.ANNOTATIONS, result.stream, to_draw, captured_ns, published_ns, result.seq)

    def add_health(self, health: HealthMessage) -> None:
        now_utc_ns = utc_ns()
        self._add_json(schemas.HEALTH, health, now_utc_ns, now_utc_ns)

    def _add_json(
        self,
        schema: Schema,
        message: FrameMessage | ResultMessage | HealthMessage | DescribeMessage,
        log_ns: int,
        publish_ns: int,
        sequence: int = 0,
    ) -> None:
        self._add(schema, message.stream, self._encoder.encode(message), log_ns, publish_ns, sequence)

    def _add(
        self, schema: Schema, stream: str, data: bytes, log_ns: int, publish_ns: int, sequence: int
    ) -> None:
        channel = self._channel(schema, f"/{stream}/{schema.topic}")
        self._writer.add_message(channel, log_ns, data, publish_ns, sequence & _SEQUENCE_BITS)

    def _channel(self, schema: Schema, topic: str) -> int:
        """Made when its first message comes."""
        if topic not in self._channels:
            if schema.name not in self._schemas:
                known = self._writer.register_schema(schema.name, schema.schema_encoding, schema.data)
                self._schemas[schema.name] = known
            self._channels[topic] = self._writer.register_channel(
                topic, schema.message_encoding, self._schemas[schema.name]
            )
        return self._channels[topic]

    def drain(self) -> None:
        """To the disk, where no loss of power reaches it, once a second. Raises OSError for what the disk
        doesn't take now: it waits for the next call."""
        now_ns = monotonic_ns()
        is_due = now_ns >= self._next_chunk_ns
        if is_due and not self._is_finished:
            self._next_chunk_ns = now_ns + CHUNK_NS
            self._writer.flush()
        self._file.drain(syncs=is_due)

    def finish(self) -> None:
        """The index and the end, once; then `drain` again until it succeeds."""
        if not self._is_finished:
            self._is_finished = True
            self._writer.finish()

    def close(self) -> None:
        """Gives the file back as it is on the disk."""
        self._file.close()
