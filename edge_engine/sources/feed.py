"""Feed: what FFmpeg receives, picture by picture, each stamped on its sender's timeline."""

from __future__ import annotations

import errno
import struct
from collections import deque
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from edge_engine.clock import NS_PER_S, monotonic_ns, utc_ns
from edge_engine.errors import CorruptFrameError, SourceError, one_line
from edge_engine.pixels import AvPixels
from edge_engine.sources.source import Grab
from edge_engine.sources.stamps import Timeline
from edge_engine.sources.uri import masked

OPEN_S, READ_S = 4.0, 10.0
"""After twice that long PyAV gives up by itself. Longer than any deadline of the engine's that makes sense,
since that is to be the one that counts."""

MAX_CLOCK_ERROR_NS = NS_PER_S
"""A sender whose wall clock is off by more has not set it by anybody's; UTC stamps are this machine's
then."""

_MOST_REORDERED = 64
_HELD = 8
"""As many pictures as an engine holds of one stream: the decoder is made to have that many buffers at
once.
"""


class Feed:
    """The video of an address. Its thread alone calls it.

    A packet that can't be decoded raises CorruptFrameError, and the next call goes on with the next one.
    `is_parsed`: the demuxer knows a picture's end only by the beginning of the next one, and gives it then.
    """

    def __init__(
        self,
        address: str,
        name: str,
        options: Mapping[str, str],
        *,
        demuxer: str | None = None,
        is_parsed: bool = False,
    ) -> None:
        """Raises SourceError."""
        self._is_parsed = is_parsed
        self._arrived_ns = 0
        self._name = name
        self._container = _open(address, name, options, demuxer)
        try:
            self._stream = _video(self._container, name)
        except SourceError:
            self._container.close()
            raise
        self._stream.codec_context.thread_count = 1  # frame threads would hold back a picture each
        if self._stream.codec_context.name == "mjpeg":
            self._stream.codec_context.options = {"err_detect": "explode"}
        self._packets: Iterator[av.Packet[Any]] = self._container.demux(self._stream)
        self._decoded: deque[av.VideoFrame] = deque()
        self._first: list[av.VideoFrame] = []
        self._pictures = 0
        self._tick_ns = (self._stream.time_base or Fraction(1, NS_PER_S)) * NS_PER_S
        self._timeline = Timeline()
        self._sent_utc_ns: dict[int | None, int] = {}  # by pts

    @property
    def description(self) -> str:
        context = self._stream.codec_context
        rate = self._stream.average_rate or self._stream.guessed_rate
        shown = f" at {float(rate):g} fps" if rate and rate < 1000 else ""
        return f"{context.width}x{context.height} {context.name}{shown}"

    def read(self) -> Grab | None:
        """The next picture; None at the stream's end. SourceError when the connection is lost."""
        while not self._decoded:
            packet = self._receive()
            if packet is None:
                return None
            self._decode(packet)
        frame = self._decoded.popleft()
        self._deepen_pool(frame)
        if frame.pts is None and self._timeline.is_known:
            # Such as what a parser still held when the connection broke: nobody knows how old it is.
            raise CorruptFrameError(f"{self._name}: a picture without a stamp")
        now_ns, now_utc_ns = monotonic_ns(), utc_ns()
        captured_ns = self._timeline.captured_ns(self._pts_ns(frame.pts), now_ns)
        ours_ns = now_utc_ns - (now_ns - captured_ns)
        return Grab(AvPixels(frame), captured_ns, self._sender_utc_ns(frame.pts, ours_ns))

    def _sender_utc_ns(self, pts: int | None, ours_ns: int) -> int:
        """The sender's wall clock at capture, where RTCP told it and it goes like ours; else ours."""
        sent_ns = self._sent_utc_ns.pop(pts, ours_ns)
        return sent_ns if abs(sent_ns - ours_ns) < MAX_CLOCK_ERROR_NS else ours_ns

    def _receive(self) -> av.Packet[Any] | None:
        try:
            packet = next(self._packets, None)
        except av.InvalidDataError as error:
            self._packets = self._container.demux(self._stream)  # what has raised gives nothing any more
            raise CorruptFrameError(f"{self._name}: damaged data: {error.strerror}") from error
        except (av.FFmpegError, OSError) as error:
            raise SourceError(f"{self._name}: lost: {said(error)}") from error
        except (
            IndexError
        ):  # what PyAV makes of the end where a stream, such as sound, began after the opening
            packet = None
        given_ns, now_ns = self._arrived_ns, monotonic_ns()
        self._arrived_ns = now_ns
        if packet is not None and packet.has_sidedata("prft"):
            self._note_sender_clock(packet)
        pts_ns = None if packet is None else self._pts_ns(packet.pts)
        if pts_ns is not None and not self._is_parsed:
            self._timeline.arrived(pts_ns, now_ns)
        elif (
            pts_ns is not None and given_ns
        ):  # the packet before this one was given when this one began to come
            self._timeline.arrived(pts_ns, given_ns)
        return packet

    def _note_sender_clock(self, packet: av.Packet[Any]) -> None:
        """FFmpeg's AVProducerReferenceTime: microseconds since 1970, int64, first of its fields."""
        if len(self._sent_utc_ns) > _MOST_REORDERED:
            self._sent_utc_ns.clear()
        (sent_us,) = struct.unpack_from("=q", bytes(packet.get_sidedata("prft")))
        self._sent_utc_ns[packet.pts] = sent_us * 1000

    def _pts_ns(self, pts: int | None) -> int | None:
        return None if pts is None else int(pts * self._tick_ns)

    def _decode(self, packet: av.Packet[Any]) -> None:
        try:
            self._decoded.extend(frame for frame in packet.decode() if isinstance(frame, av.VideoFrame))
        except av.FFmpegError as error:
            raise CorruptFrameError(f"{self._name}: a damaged packet: {error.strerror}") from error

    def _deepen_pool(self, frame: av.VideoFrame) -> None:
        """Holds the first pictures together once, so that the decoder makes no new buffer later on."""
        self._pictures += 1
        if self._pictures < _HELD:
            self._first.append(frame)
        else:
            self._first.clear()

    def close(self) -> None:
        self._decoded.clear()
        self._first.clear()
        self._container.close()


def said(error: Exception) -> str:
    """FFmpeg's words, without the address that it may repeat."""
    if isinstance(error, av.ExitError):  # PyAV's time limit, which FFmpeg calls an immediate exit
        return "no answer in time"
    text = getattr(error, "strerror", None) or str(error)
    return masked(one_line(ValueError(text)))


def _open(address: str, name: str, options: Mapping[str, str], demuxer: str | None) -> InputContainer:
    try:
        return av.open(
            address,
            format=demuxer,
            options=dict(options),
            timeout=(OPEN_S, READ_S),
            metadata_errors="replace",
        )
    except (av.FFmpegError, OSError, ValueError) as error:
        raise SourceError(f"{name}: can't be opened: {said(error)}{_cure(error, address)}") from error


_CURES = {
    "HTTPUnauthorizedError": "give a user and password, as in rtsp://USER:PASSWORD@HOST/PATH",
    "HTTPForbiddenError": "this user may not see it",
    "HTTPNotFoundError": "is the path right? the camera's manual or ONVIF tells it",
    "HTTPServerError": "the camera is in trouble, or has too many viewers",
    "ConnectionRefusedError": "nothing listens there: is the port right, and the camera's service on?",
    "TimeoutError": "is the address right, and the camera on and in this network?",
    "ExitError": "is the address right, and the camera on and in this network?",
    "ProtocolNotFoundError": "this build of FFmpeg doesn't speak it; GStreamer may (gst:)",
    "DemuxerNotFoundError": "this build of FFmpeg doesn't know it",
    "InvalidDataError": "what comes from there is no video that FFmpeg knows",
}
_UNREACHABLE = {errno.ENETUNREACH, errno.EHOSTUNREACH}


def _cure(error: Exception, address: str) -> str:
    """By the class; of a bare OSError by its number, which is EIO for two causes."""
    number = error.errno if isinstance(error, OSError) else None
    if number in _UNREACHABLE:
        return "; is the address right, and this machine in the camera's network?"
    if number == errno.EIO and address.startswith(("rtsps:", "rtmps:")):
        return "; is its certificate one that this machine trusts? #verify=0 takes any"
    if number == errno.EIO and "://" in address:
        return "; is the host's name right?"
    cures = (_CURES[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in _CURES)
    return "".join(f"; {cure}" for cure in list(cures)[:1])


def _video(container: InputContainer, name: str) -> VideoStream:
    if not container.streams.video:
        raise SourceError(f"{name}: there is no video in it; expected a stream with one")
    streams = [stream for stream in container.streams.video if _has_decoder(stream)]
    if not streams:
        raise SourceError(
            f"{name}: its video is of a kind that this FFmpeg can't decode; is it set to H.264?"
        )
    return max(streams, key=lambda stream: stream.width * stream.height)


def _has_decoder(stream: VideoStream) -> bool:
    """PyAV's types don't foresee that a stream has none."""
    return getattr(stream, "codec_context", None) is not None
