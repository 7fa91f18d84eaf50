"""FileSource: a video file of any container and codec that FFmpeg reads, as if it were a camera."""

from __future__ import annotations

from edge_engine.clock import monotonic_ns, utc_ns
from edge_engine.errors import CorruptFrameError, SourceError
from edge_engine.pixels import AvPixels
from edge_engine.sources.clip import Clip, size_of
from edge_engine.sources.pacing import Pacer
from edge_engine.sources.source import Grab
from edge_engine.sources.uri import SourceUri

MAX_ERRORS_IN_A_ROW = 100


class FileSource:
    """Pictures in the decoder's own format. Paced, each is stamped when its time has come and decoded
    after that, as a camera's would be; a looped file follows on itself without a gap or a lost picture."""

    is_live = False
    missed = 0

    def __init__(self, uri: SourceUri, *, pace: bool, loop: bool) -> None:
        uri.expect_options()
        self._path = uri.target
        self._name = uri.text
        self._loop = loop
        self._pacer = Pacer(is_paced=pace)
        self._clip: Clip | None = None
        self._errors_in_a_row = 0

    @property
    def description(self) -> str:
        return self._name

    def expected_size(self) -> tuple[int, int] | None:
        return size_of(self._path, self._name)

    def open(self) -> None:
        self._clip = Clip(self._path, self._name)

    def read(self) -> Grab | None:
        if self._clip is None:
            raise SourceError(f"{self._name}: read before it was opened")
        if not self._pacer.wait(self._clip.due_ns):
            return None
        captured_ns, captured_utc_ns, media_ns = monotonic_ns(), utc_ns(), self._clip.due_ns
        try:
            pixels = self._decode(self._clip)
        except CorruptFrameError as error:
            self._count_error(error)
            raise
        self._errors_in_a_row = 0
        return Grab(pixels, captured_ns, captured_utc_ns, media_ns) if pixels else None

    def _decode(self, clip: Clip) -> AvPixels | None:
        frame = clip.decode()
        if frame is None and self._loop:
            clip.rewind()
            frame = clip.decode()
        return AvPixels(frame) if frame else None

    def _count_error(self, error: CorruptFrameError) -> None:
        self._errors_in_a_row += 1
        if self._errors_in_a_row == MAX_ERRORS_IN_A_ROW:
            raise SourceError(f"{self._name}: {MAX_ERRORS_IN_A_ROW} errors in a row; the last: {error}")

    def close(self) -> None:
        if self._clip is not None:
            self._clip.close()
        self._clip = None

    def interrupt(self) -> None:
        self._pacer.interrupt()
