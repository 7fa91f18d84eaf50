"""Reading: what a recording holds, in the order in which it was written, however it ended.

A file that was cut off by a loss of power, or is damaged somewhere, is read up to there.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeAlias

import msgspec
import zstandard
from google.protobuf.message import DecodeError
from mcap.exceptions import McapError
from mcap.records import Channel, Chunk, DataEnd, McapRecord, Message, Metadata, Schema
from mcap.stream_reader import StreamReader, breakup_chunk

from edge_engine.errors import CorruptFrameError, SourceError, one_line
from edge_engine.pixels import Pixels
from edge_engine.recording import schemas
from edge_engine.recording.frames import FrameMessage, pixels_of
from edge_engine.recording.header import RECORDING, VERSION, Header, header_of
from edge_engine.recording.protobuf import picture_of
from edge_engine.wire import DescribeMessage, ResultMessage

_PICTURES = {schemas.COMPRESSED_IMAGE.name, schemas.RAW_IMAGE.name}
_STRUCTS: dict[str, type[FrameMessage] | type[ResultMessage] | type[DescribeMessage]] = {
    schemas.FRAME.name: FrameMessage,
    schemas.RESULT.name: ResultMessage,
    schemas.DESCRIBE.name: DescribeMessage,
}
_LONGEST_RECORD = 1 << 29
# Besides its own errors, what mcap's reader lets through: of struct, text, lz4, zstandard, and of lengths
# that are none.
_DAMAGE = (
    *(McapError, struct.error, ValueError, RuntimeError, zstandard.ZstdError),
    *(MemoryError, OverflowError),
)


class RecordedFrame(NamedTuple):
    """A picture of a recording, still packed: `pixels` unpacks it."""

    message: FrameMessage
    image_schema: str
    image: bytes

    def pixels(self) -> Pixels:
        """Raises CorruptFrameError."""
        try:
            return pixels_of(self.message, picture_of(self.image_schema, self.image))
        except (DecodeError, ValueError) as error:
            raise CorruptFrameError(f"frame {self.message.seq}: {one_line(error)}") from None


Item: TypeAlias = RecordedFrame | ResultMessage | DescribeMessage


class RecordingReader:
    """Used by one thread. `broken_at`: the byte at which a file ended that has no proper end, or is damaged;
    known once `items` has ended."""

    def __init__(self, path: Path, name: str = "") -> None:
        """`name` is how messages call the file. Raises SourceError, in one line, for what is no recording."""
        self._name = name or str(path)
        self.broken_at: int | None = None
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as error:
            raise SourceError(f"{self._name}: can't be read: {error.strerror}") from None
        reader = StreamReader(self._file, emit_chunks=True, record_size_limit=_LONGEST_RECORD)
        self._records = reader.records
        try:
            self.header = self._header()
        except SourceError:
            self.close()
            raise

    def _header(self) -> Header:
        topics: list[str] = []
        try:
            for record in self._records:
                if isinstance(record, Metadata) and record.name == RECORDING:
                    return self._known(header_of(record.metadata))
                for inside in _inside(record):
                    topics += [inside.topic] if isinstance(inside, Channel) else []
                if isinstance(record, (Chunk, DataEnd)):
                    break
        except (*_DAMAGE, OSError, msgspec.MsgspecError) as error:
            why = f"{type(error).__name__}: {one_line(error)}" if str(error) else "it ends at once"
            raise SourceError(f"{self._name}: is no MCAP file that can be read: {why}") from None
        holds = ", ".join(topics[:5]) or "nothing"
        raise SourceError(
            f"{self._name}: an MCAP file, but no recording of edge-engine's: it holds {holds}; expected one "
            "of edge-engine record, or of outputs: {mcap: …}"
        )

    def _known(self, header: Header) -> Header:
        if header.version > VERSION:
            raise SourceError(
                f"{self._name}: a recording of version {header.version}; this program knows {VERSION}"
            )
        return header

    def expect(self, stream: str) -> None:
        """Raises SourceError for a stream that isn't there."""
        if stream not in self.header.streams:
            known = ", ".join(self.header.streams)
            raise SourceError(f"{self._name}: has no stream {stream!r}; those it has: {known}")

    def items(self, stream: str | None = None) -> Iterator[Item]:
        """Of one stream, or of all; once. Raises SourceError for a message of ours that can't be read."""
        names: dict[int, str] = {}
        channels: dict[int, tuple[str, str]] = {}
        frames: dict[str, FrameMessage] = {}
        for record in self._inner_records():
            if isinstance(record, Schema):
                names[record.id] = record.name
            elif isinstance(record, Channel):
                of = record.topic.removeprefix("/").partition("/")[0]
                channels[record.id] = of, names.get(record.schema_id, "")
            elif isinstance(record, Message):
                of, schema = channels.get(record.channel_id, ("", ""))
                if stream in (None, of) and (item := self._item(schema, record.data, frames, of)):
                    yield item

    def _item(self, schema: str, data: bytes, frames: dict[str, FrameMessage], stream: str) -> Item | None:
        """None for what isn't asked for, and for a picture's description, which waits in `frames` for it."""
        if schema in _PICTURES:
            message = frames.pop(stream, None)
            return RecordedFrame(message, schema, data) if message else None
        kind = _STRUCTS.get(schema)
        if kind is None:
            return None
        try:
            found = msgspec.json.decode(data, type=kind)
        except msgspec.MsgspecError as error:
            raise SourceError(f"{self._name}: a message {schema} that can't be read: {error}") from None
        if not isinstance(found, FrameMessage):
            return found
        frames[stream] = found
        return None

    def _inner_records(self) -> Iterator[McapRecord]:
        at = self._file.tell()
        try:
            for record in self._records:
                yield from _inside(record)
                at = self._file.tell()
        except OSError as error:
            raise SourceError(f"{self._name}: can't be read on: {error.strerror}") from None
        except _DAMAGE:
            self.broken_at = at

    def close(self) -> None:
        self._file.close()


def _inside(record: McapRecord) -> list[McapRecord]:
    return breakup_chunk(record, validate_crc=True) if isinstance(record, Chunk) else [record]
