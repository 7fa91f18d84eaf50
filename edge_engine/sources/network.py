"""NetworkSource: a camera or stream on the network, through FFmpeg."""

from __future__ import annotations

import threading

from edge_engine.errors import ConfigError, SourceError
from edge_engine.sources.feed import Feed
from edge_engine.sources.interruption import heed
from edge_engine.sources.source import Grab
from edge_engine.sources.uri import Size, SourceUri

# An RTSP server tells the codec; elsewhere what comes must be looked at until it does. What is looked at is
# thrown away ("nobuffer"), or the first pictures would be old ones that look fresh.
_QUICK_LOOK = {"analyzeduration": "100000", "probesize": "32768"}
_LONG_LOOK = {"analyzeduration": "2000000", "probesize": "1000000"}
# A packet that UDP has overtaken is waited for so long, in microseconds; FFmpeg's own is half a second.
_REORDERING_US = "100000"
_PARSED = ("rtsp", "rtsps", "rtp", "udp", "srt", "tcp")
_SOCKET_BYTES = "1048576"


class NetworkSource:
    """Options: `transport` (tcp or udp, of rtsp), and `verify` (0 takes any certificate, of rtsps and rtmps).

    Pictures come as the decoder makes them: what was lost on the way is concealed in them as well as it can
    be. Their size may change at any time. A server that ends the stream is a loss: cameras don't end.
    """

    is_live = True
    missed = 0

    def __init__(self, uri: SourceUri, *, pace: bool, loop: bool) -> None:
        uri.expect_options("transport", "verify")
        self._address = uri.target
        self._scheme = uri.target.partition(":")[0]
        self._name = uri.text
        self._transport = _one_of(uri, "transport", ("tcp", "udp"))
        self._verify = _one_of(uri, "verify", ("1", "0"))
        self._interrupted = threading.Event()
        self._feed: Feed | None = None
        self.description = self._name

    def expected_size(self) -> Size | None:
        """None: only the stream tells."""
        return None

    def open(self) -> None:
        heed(self._interrupted)
        self._feed = Feed(self._address, self._name, self._options(), is_parsed=self._scheme in _PARSED)
        how = f" over {self._transport}" if self._scheme in ("rtsp", "rtsps") else ""
        self.description = f"{self._name}: {self._feed.description}{how}"

    def _options(self) -> dict[str, str]:
        options = {"fflags": "nobuffer", "max_delay": _REORDERING_US}
        if self._scheme in ("rtsp", "rtsps"):
            options |= _QUICK_LOOK | {"rtsp_transport": self._transport, "buffer_size": _SOCKET_BYTES}
        else:
            options |= _LONG_LOOK
        if self._scheme in ("rtsps", "rtmps"):
            options["tls_verify"] = self._verify
        return options

    def read(self) -> Grab | None:
        if self._feed is None:
            raise SourceError(f"{self._name}: read before it was opened")
        grab = self._feed.read()
        if self._interrupted.is_set():
            return None
        if grab is None:
            raise SourceError(f"{self._name}: lost: the server has ended the stream")
        return grab

    def close(self) -> None:
        if self._feed is not None:
            self._feed.close()
        self._feed = None

    def interrupt(self) -> None:
        self._interrupted.set()


def _one_of(uri: SourceUri, option: str, allowed: tuple[str, ...]) -> str:
    """The option's value; the first of those allowed where it wasn't given."""
    value = uri.options.get(option, allowed[0])
    if value not in allowed:
        raise ConfigError(f"source {uri.text}: {option} must be {' or '.join(allowed)}, not {value!r}")
    return value
