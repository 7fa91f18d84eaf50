"""McapSource: the frames of a recording (recording/), as they came from the camera."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edge_engine.clock import monotonic_ns
from edge_engine.errors import SourceError
from edge_engine.recording.reading import RecordedFrame, RecordingReader
from edge_engine.sources.pacing import Pacer
from edge_engine.sources.source import Grab
from edge_engine.sources.uri import SourceUri


class McapSource:
    """Option `stream`: which one, where there are several.

    A frame's own time is that which it was recorded with, and its wall clock is that of its capture; paced,
    frames follow each other as they were captured. One whose end is missing ends where it was cut off.
    """

    is_live = False
    missed = 0

    def __init__(self, uri: SourceUri, *, pace: bool, loop: bool) -> None:
        uri.expect_options("stream")
        self._path, self._name, self._stream = Path(uri.target), uri.text, uri.options.get("stream")
        self._loop = loop
        self._pacer = Pacer(is_paced=pace)
        self._reader: RecordingReader | None = None
        self._frames: Iterator[RecordedFrame] = iter(())
        self._offset_ns = 0
        self._first_ns: int | None = None
        self._last_ns = self._step_ns = 0

    @property
    def description(self) -> str:
        return self._name

    def expected_size(self) -> tuple[int, int] | None:
        """That of the first frame; None where there is none, of which `open` tells why."""
        try:
            self.open()
            first = next(self._frames, None)
        except SourceError:
            return None
        finally:
            self.close()
        return first.message.size if first is not None else None

    def open(self) -> None:
        self._reader = RecordingReader(self._path, self._name)
        try:
            self._frames = _frames(self._reader, self._chosen(self._reader))
        except SourceError:
            self.close()
            raise

    def _chosen(self, reader: RecordingReader) -> str:
        streams = reader.header.streams
        if self._stream is None and len(streams) != 1:
            raise SourceError(f"{self._name}: holds {', '.join(streams)}; expected ?stream= with one of them")
        stream = streams[0] if self._stream is None else self._stream
        reader.expect(stream)
        return stream

    def read(self) -> Grab | None:
        if self._reader is None:
            raise SourceError(f"{self._name}: read before it was opened")
        frame = next(self._frames, None)
        if frame is None and self._loop and self._first_ns is not None:
            self._begin_again()
            frame = next(self._frames, None)
        if frame is None:
            return None
        media_ns = self._media_ns(frame.message.shown_ns)
        if not self._pacer.wait(media_ns):
            return None
        captured_ns = monotonic_ns()
        return Grab(frame.pixels(), captured_ns, frame.message.captured_utc_ns, media_ns)

    def _media_ns(self, shown_ns: int) -> int:
        """The recording's own clock, which goes on when it is looped."""
        if self._first_ns is None:
            self._first_ns = shown_ns
        elif shown_ns + self._offset_ns > self._last_ns:
            self._step_ns = shown_ns + self._offset_ns - self._last_ns
        self._last_ns = shown_ns + self._offset_ns
        return self._last_ns

    def _begin_again(self) -> None:
        assert self._first_ns is not None
        self._offset_ns = self._last_ns + self._step_ns - self._first_ns
        self.close()
        self.open()

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
        self._reader, self._frames = None, iter(())

    def interrupt(self) -> None:
        self._pacer.interrupt()


def _frames(reader: RecordingReader, stream: str) -> Iterator[RecordedFrame]:
    return (item for item in reader.items(stream) if isinstance(item, RecordedFrame))
