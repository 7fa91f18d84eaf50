"""HttpSource: a camera's pictures over HTTP: MJPEG, an address of single pictures, or whatever video
comes."""

from __future__ import annotations

import http.client
import os
import selectors
import socket
import ssl
import threading
import urllib.error
import urllib.request
from urllib.parse import unquote, urlsplit, urlunsplit

from edge_engine.clock import NS_PER_S, monotonic_ns, utc_ns
from edge_engine.errors import ConfigError, CorruptFrameError, SourceError, one_line
from edge_engine.pixels import JpegPixels
from edge_engine.sources.backlog import Backlog
from edge_engine.sources.http_handlers import Digest, Http, Https
from edge_engine.sources.jpeg import is_jpeg, jpeg_size
from edge_engine.sources.multipart import LONGEST_PART, MultipartError, MultipartParser, Part
from edge_engine.sources.network import NetworkSource
from edge_engine.sources.source import Grab, Source
from edge_engine.sources.stamps import Timeline
from edge_engine.sources.uri import Size, SourceUri, masked

WAIT_S = 10.0
"""For an answer, and for more of it: a call that was left behind ends then."""

_CHUNK = 64 * 1024
_MOST_AT_ONCE = 8 * 2**20
_DEFAULT_FPS = 1.0
_JPEG_TYPES = {"image/jpeg", "image/jpg", "image/pjpeg"}  # only the first is one


class HttpSource:
    """Options: `fps` at which an address of single pictures is asked, `verify` 0 takes any certificate.

    A picture is stamped when its first byte came, or by the server's `X-Timestamp` where it sends that, which
    shows how long a picture was held up. Of several that came at once, or in a rush after a pause, the newest
    is taken; the others are `missed`. (Not where the answer comes in chunks: nothing shows what waits there.)
    """

    is_live = True

    def __init__(self, uri: SourceUri, *, pace: bool, loop: bool) -> None:
        uri.expect_options("fps", "verify")
        self._uri = uri
        self._name = uri.text
        self._period_s = 1 / (uri.rate() or _DEFAULT_FPS)
        self._verify = uri.options.get("verify", "1")
        if self._verify not in ("0", "1"):
            raise ConfigError(f"source {uri.text}: verify must be 1 or 0, not {self._verify!r}")
        self._interrupted = threading.Event()
        self._sockets: list[socket.socket] = []
        self._response: http.client.HTTPResponse | None = None
        self._parser: MultipartParser | None = None
        self._video: Source | None = None
        self._timeline = Timeline()
        self._backlog = Backlog()
        self.missed = 0
        self.description = self._name

    def expected_size(self) -> Size | None:
        """None: only the stream tells."""
        return None

    def open(self) -> None:
        self._response = response = self._ask()
        kind = response.headers.get_content_type()
        try:
            if kind == "multipart/x-mixed-replace":
                self._parser = MultipartParser(response.headers["content-type"])
            elif kind.startswith("text/"):
                raise SourceError(f"{self._name}: gives a page ({kind}), no pictures; is the path right?")
        except MultipartError as error:
            raise SourceError(f"{self._name}: {error}") from error
        if kind in _JPEG_TYPES:
            self.description = f"{self._name}: single JPEGs, asked for at {1 / self._period_s:g} fps"
        elif self._parser is not None:
            self.description = f"{self._name}: MJPEG"
        else:
            self._open_video()

    def _open_video(self) -> None:
        self._end_connection()
        options = {"verify": self._verify}
        uri = SourceUri("network", self._uri.target, options, self._name)
        self._video = NetworkSource(uri, pace=False, loop=False)
        self._video.open()
        self.description = self._video.description

    def _ask(self) -> http.client.HTTPResponse:
        address, opener = self._opener()
        try:
            response: http.client.HTTPResponse = opener.open(address, timeout=WAIT_S)
        except urllib.error.HTTPError as error:
            error.close()
            raise SourceError(
                f"{self._name}: the server says {error.code} {error.reason}{_cure(error)}"
            ) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = error.reason if isinstance(error, urllib.error.URLError) else error
            raise SourceError(
                f"{self._name}: can't be opened: {masked(one_line_of(reason))}{_cure(reason)}"
            ) from None
        return response

    def _opener(self) -> tuple[str, urllib.request.OpenerDirector]:
        """The address without user and password, and what gives them where they are asked for."""
        parts = urlsplit(self._uri.target)
        host = parts.netloc.rpartition("@")[2]
        address = urlunsplit((parts.scheme, host, parts.path or "/", parts.query, ""))
        knows: list[urllib.request.BaseHandler] = []
        if parts.username is not None:
            passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
            passwords.add_password(None, address, unquote(parts.username), unquote(parts.password or ""))
            knows = [
                Digest(passwords),
                urllib.request.HTTPBasicAuthHandler(passwords),
            ]
        context = ssl.create_default_context() if self._verify == "1" else ssl._create_unverified_context()
        return address, urllib.request.build_opener(
            Http(self._sockets.append),
            Https(self._sockets.append, context),
            *knows,
        )

    def read(self) -> Grab | None:
        if self._video is not None:
            return self._video.read()
        if self._response is None:
            raise SourceError(f"{self._name}: read before it was opened")
        part = self._next_part() if self._parser is not None else self._next_picture()
        if part is None or self._interrupted.is_set():
            return None
        now_ns, now_utc_ns = monotonic_ns(), utc_ns()
        if not is_jpeg(part.body):
            raise CorruptFrameError(f"{self._name}: a part that is no JPEG")
        pixels = JpegPixels(part.body, jpeg_size(part.body))
        captured_ns = self._stamp(part, now_ns)
        return Grab(pixels, captured_ns, now_utc_ns - (now_ns - captured_ns))

    def _stamp(self, part: Part, now_ns: int) -> int:
        try:
            sent_ns = round(float(part.headers["x-timestamp"]) * NS_PER_S)
        except (KeyError, ValueError, OverflowError):
            return self._timeline.captured_ns(None, part.began_ns)
        self._timeline.arrived(sent_ns, part.began_ns)
        return self._timeline.captured_ns(sent_ns, now_ns)

    def _next_part(self) -> Part | None:
        """The newest of those that have come by now."""
        parts: list[Part] = []
        while not parts:
            data = self._receive()
            if data is None:
                return None
            parts = self._parse(data)
        self._backlog.came(len(parts), monotonic_ns())
        newest = self._drain(parts)
        self.missed += len(parts) - 1
        return newest

    def _drain(self, parts: list[Part]) -> Part:
        """Adds what has come since, and tells the newest. A connection's end is left to the next read."""
        received = 0
        while received < _MOST_AT_ONCE or self._backlog.wait_s:
            try:
                data = self._receive() if self._is_more_there(self._backlog.wait_s) else None
                if not data:
                    break
                received += len(data)
                more = self._parse(data)
            except SourceError:
                break
            if more:
                self._backlog.came(len(more), monotonic_ns())
                parts += more
        self._backlog.end()
        return parts[-1]

    def _parse(self, data: bytes) -> list[Part]:
        assert self._parser is not None
        try:
            return self._parser.feed(data, monotonic_ns())
        except MultipartError as error:
            raise SourceError(f"{self._name}: {error}") from error

    def _receive(self) -> bytes | None:
        """More of the answer; None once interrupted."""
        assert self._response is not None
        try:
            data = self._response.read1(_CHUNK)
        except (OSError, http.client.HTTPException, ValueError) as error:
            if self._interrupted.is_set():
                return None
            raise SourceError(f"{self._name}: lost: {one_line_of(error)}") from error
        if not data and not self._interrupted.is_set():
            raise SourceError(f"{self._name}: lost: the server has ended the stream")
        return data or None

    def _is_more_there(self, within_s: float) -> bool:
        """Of an answer in chunks nobody can say: what is there may be the end of the last one alone."""
        if getattr(self._response, "chunked", False):
            return False
        connection = self._sockets[-1]
        if isinstance(connection, ssl.SSLSocket) and connection.pending():
            return True
        if connection.fileno() < 0:
            return False
        with selectors.DefaultSelector() as selector:
            selector.register(connection, selectors.EVENT_READ)
            return bool(selector.select(within_s))

    def _next_picture(self) -> Part | None:
        """The answer at hand, or a new one when it is time."""
        assert self._response is not None
        if self._response.isclosed():
            if self._interrupted.wait(self._period_s):
                return None
            self._end_connection()
            self._response = self._ask()
        began_ns = monotonic_ns()
        try:
            body = self._response.read(LONGEST_PART)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise SourceError(f"{self._name}: lost: {one_line_of(error)}") from error
        self._response.close()
        return Part({}, body, began_ns)

    def _end_connection(self) -> None:
        if self._response is not None:
            self._response.close()
        while self._sockets:
            # Not by its `close`: urllib forgets answers that asked for a password, which would keep it open.
            descriptor = self._sockets.pop().detach()
            if descriptor >= 0:
                os.close(descriptor)

    def close(self) -> None:
        self._end_connection()
        self._response = None
        if self._video is not None:
            self._video.close()

    def interrupt(self) -> None:
        """Called from any thread: a call that waits for the server ends at once."""
        self._interrupted.set()
        if self._video is not None:
            self._video.interrupt()
        for connection in list(self._sockets):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:  # it is closed already
                continue


def one_line_of(reason: object) -> str:
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror
    return one_line(ValueError(str(reason) or type(reason).__name__))


def _cure(reason: object) -> str:
    if isinstance(reason, urllib.error.HTTPError):
        return {
            401: "; give a user and password, as in http://USER:PASSWORD@HOST/PATH",
            403: "; this user may not see it",
            404: "; is the path right? the camera's manual tells it",
        }.get(reason.code, "")
    if isinstance(reason, ssl.SSLError):
        return "; a camera's own certificate is taken with #verify=0 at the end of the address"
    if isinstance(reason, ConnectionRefusedError):
        return "; nothing listens there: is the port right, and the camera's service on?"
    if isinstance(reason, socket.gaierror):
        return "; is the name right?"
    return "; is the address right, and the camera on and in this network?"
