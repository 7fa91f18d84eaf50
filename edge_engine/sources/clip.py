"""Clip: a video file read picture by picture, each one's time known before it is decoded."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from edge_engine.clock import NS_PER_S
from edge_engine.errors import CorruptFrameError, SourceError

LOOK_AHEAD = 17
"""Packets read ahead: no codec reorders over more than 16, so the next picture's packet is among them."""

MAX_GAP_NS = 10 * NS_PER_S
"""A longer step between two pictures is a break in the stamps, not a pause."""

IN_USE = 8
"""As many pictures as an engine ever holds of one file at a time: decoders keep that many buffers ready."""

_FALLBACK_RATE = Fraction(25)
# Titles that aren't UTF-8 are no reason to fail; from version 19 on PyAV reads none unless asked.
_ANY_TITLE: dict[str, Any] = {} if int(av.__version__.split(".")[0]) >= 19 else {"metadata_errors": "replace"}
_TEXT_DEMUXERS = {"tty", "bin", "xbin", "adf", "idf"}
"""FFmpeg would render text files as video."""


class Clip:
    """An open file's best video stream.

    `due_ns` is when the next picture is to be shown, counted from the first one's, and goes on over
    `rewind`: the file's own stamps, so variable rates are kept; where stamps are missing, go backwards or
    jump by more than MAX_GAP_NS, the average rate. Rotation metadata is not applied: pixels and boxes
    are as stored. `name` is how messages call the file.

    One decoder thread: over a 640×272 H.264 clip it took 0.40 ms of CPU per frame, two frame threads
    0.47 ms and one more frame of delay.
    """

    def __init__(self, path: str, name: str) -> None:
        self.due_ns = 0
        self._held: list[av.VideoFrame] = []
        self._path = path
        self._name = name
        self._open()

    def _open(self) -> None:
        self._container = _open_container(self._path, self._name)
        try:
            self._stream = _best_video(self._container, self._name)
            self._start()
        except SourceError:
            self._container.close()
            raise

    def _start(self) -> None:
        context = self._stream.codec_context
        context.thread_count = 1
        if context.name == "mjpeg":
            context.options = {"err_detect": "explode"}  # or a truncated picture would pass, half grey
        self._restart()

    def _restart(self) -> None:
        """Forgets what was read before; the container and the decoder stand at the beginning."""
        self._packets: Iterator[av.Packet[Any]] = self._container.demux(self._stream)
        self._ahead: deque[av.Packet[Any] | CorruptFrameError] = deque()
        self._decoded: deque[av.VideoFrame] = deque()
        self._times: list[tuple[int, int]] = []  # a heap of (pts, duration), not yet shown, in stream ticks
        self._pictures = 0
        self._set_clock()

    def _set_clock(self) -> None:
        """Lays the first picture's stamp on `due_ns`."""
        self._tick_ns = (self._stream.time_base or Fraction(1, NS_PER_S)) * NS_PER_S
        self._step_ns = min(int(NS_PER_S / (self._stream.average_rate or _FALLBACK_RATE)), MAX_GAP_NS)
        self._has_ended = False
        self._look_ahead()
        self._first = _identity(self._ahead[0]) if self._ahead else None
        first_pts = self._times[0][0] if self._times else 0
        self._zero_ns = self.due_ns - int(first_pts * self._tick_ns)

    def rewind(self) -> None:
        """Back to the first picture. Opens the file again where seeking doesn't find the first packet."""
        first, due_ns = self._first, self.due_ns
        try:
            self._container.seek((first and first.dts) or 0, stream=self._stream)  # also empties the decoder
            self._restart()
        except av.FFmpegError:
            self._first = None
        if first is None or self._first != first:
            self.due_ns = due_ns
            self.close()
            self._open()

    def close(self) -> None:
        self._ahead.clear()
        self._decoded.clear()
        self._held.clear()
        self._container.close()

    def decode(self) -> av.VideoFrame | None:
        """The next picture; None after the last one.

        Raises CorruptFrameError for what can't be decoded, and SourceError when the file can't be read
        or a whole pass over it gave no picture.
        """
        while not self._decoded:
            self._look_ahead()
            if not self._ahead:
                if self._pictures == 0:
                    raise SourceError(
                        f"{self._name}: its {self._stream.codec_context.name} video has no picture"
                    )
                return None
            self._decode_packet(self._ahead.popleft())
        self._pictures += 1
        frame = self._decoded.popleft()
        self._deepen_pool(frame)
        self._shown(frame.pts)
        return frame

    def _deepen_pool(self, frame: av.VideoFrame) -> None:
        """Holds the first pictures together once, so that the decoder makes no new buffer later on."""
        if self._pictures < IN_USE:
            self._held.append(frame)
        else:
            self._held.clear()

    def _decode_packet(self, packet: av.Packet[Any] | CorruptFrameError) -> None:
        if isinstance(packet, CorruptFrameError):
            raise packet
        try:
            self._decoded.extend(frame for frame in packet.decode() if isinstance(frame, av.VideoFrame))
        except av.FFmpegError as error:
            self._shown(self._times[0][0] if self._times else None)
            raise CorruptFrameError(f"{self._name}: a damaged packet: {error.strerror}") from error

    def _look_ahead(self) -> None:
        while len(self._ahead) < LOOK_AHEAD and not self._has_ended:
            packet = self._read_packet()
            if packet is None:
                self._has_ended = True
                return
            self._ahead.append(packet)
            if isinstance(packet, CorruptFrameError):
                continue
            if packet.pts is not None and not packet.is_discard:
                heapq.heappush(self._times, (packet.pts, packet.duration or 0))

    def _read_packet(self) -> av.Packet[Any] | CorruptFrameError | None:
        try:
            return next(self._packets, None)
        except av.InvalidDataError:
            self._packets = self._container.demux(self._stream)
            return CorruptFrameError(f"{self._name}: damaged data between pictures")
        except av.FFmpegError as error:
            raise SourceError(f"{self._name}: reading failed: {error.strerror}") from error

    def _shown(self, pts: int | None) -> None:
        """Moves `due_ns` on to the picture after the one stamped `pts`."""
        end: int | None = None
        while pts is not None and self._times and self._times[0][0] <= pts:
            start, duration = heapq.heappop(self._times)
            end = start + duration if duration else None
        following = self._times[0][0] if self._times else end
        due_ns = self.due_ns + self._step_ns
        if following is not None:
            stamped_ns = self._zero_ns + int(following * self._tick_ns)
            if 0 <= stamped_ns - self.due_ns <= MAX_GAP_NS:
                due_ns = stamped_ns
            else:
                self._zero_ns += due_ns - stamped_ns
        self.due_ns = due_ns


def size_of(path: str, name: str) -> tuple[int, int] | None:
    """(width, height) of a file's video; None for one that can't be opened, which `Clip` then tells."""
    try:
        container = _open_container(path, name)
    except SourceError:
        return None
    with container:
        try:
            context = _best_video(container, name).codec_context
        except SourceError:
            return None
        return (context.width, context.height) if context.width and context.height else None


class _Identity(NamedTuple):
    """What tells one packet of a file from the others."""

    dts: int | None
    pts: int | None
    size: int


def _identity(packet: av.Packet[Any] | CorruptFrameError) -> _Identity | None:
    return None if isinstance(packet, CorruptFrameError) else _Identity(packet.dts, packet.pts, packet.size)


def _open_container(path: str, name: str) -> InputContainer:
    try:
        if Path(path).stat().st_size == 0:
            raise SourceError(f"{name}: the file is empty; expected a video file")
        # The prefix keeps FFmpeg from reading a file's name as one of its own protocols.
        container: InputContainer = av.open(f"file:{path}", "r", **_ANY_TITLE)
    except av.InvalidDataError as error:
        raise SourceError(f"{name}: not a video, or one cut short: FFmpeg can't read it") from error
    except (av.FFmpegError, OSError) as error:
        raise SourceError(f"{name}: can't be opened: {error.strerror}") from error
    if container.format.name in _TEXT_DEMUXERS:
        container.close()
        raise SourceError(f"{name}: a text file; expected a video file")
    return container


def _best_video(container: InputContainer, name: str) -> VideoStream:
    stream = container.streams.best("video")
    if not isinstance(stream, VideoStream):
        kinds = ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
        raise SourceError(f"{name}: no video in it, only {kinds}; expected a video file")
    if getattr(stream, "codec_context", None) is None:  # which PyAV's types don't foresee
        raise SourceError(f"{name}: its video is of a kind that this FFmpeg can't decode")
    return stream
