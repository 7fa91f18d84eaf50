"""FolderSource: the pictures of a folder, in natural order, as if a camera had just taken them."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np

from edge_engine.clock import NS_PER_S, monotonic_ns, utc_ns
from edge_engine.errors import CorruptFrameError, SourceError
from edge_engine.pixels import BgrPixels, JpegPixels, Pixels
from edge_engine.sources.jpeg import is_jpeg, jpeg_size
from edge_engine.sources.pacing import Pacer
from edge_engine.sources.source import Grab
from edge_engine.sources.uri import SourceUri

SUFFIXES = {".bmp", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
DEFAULT_FPS = 10.0
MAX_ERRORS_IN_A_ROW = 100


class FolderSource:
    """Option `fps`: how fast pictures follow each other when paced.

    JPEGs stay packed; all others become 8-bit BGR, whatever their depth and channels. EXIF orientation
    is not applied: pixels and boxes are as stored. Folders inside and other files are left out.
    """

    is_live = False
    missed = 0

    def __init__(self, uri: SourceUri, *, pace: bool, loop: bool) -> None:
        uri.expect_options("fps")
        self._folder = Path(uri.target)
        self._period_ns = NS_PER_S / (uri.rate() or DEFAULT_FPS)
        self._loop = loop
        self._pacer = Pacer(is_paced=pace)
        self._pictures: list[Path] = []
        self._count = 0
        self._errors_in_a_row = 0

    @property
    def description(self) -> str:
        return str(self._folder)

    def expected_size(self) -> None:
        """Each picture may have another."""

    def open(self) -> None:
        try:
            entries = list(self._folder.iterdir())
        except OSError as error:
            raise SourceError(f"{self._folder}: can't be listed: {error.strerror}") from error
        pictures = (path for path in entries if path.suffix.lower() in SUFFIXES and path.is_file())
        self._pictures = sorted(pictures, key=natural_order)
        if not self._pictures:
            known = " ".join(sorted(SUFFIXES))
            raise SourceError(f"{self._folder}: no pictures in it; expected files ending in {known}")

    def read(self) -> Grab | None:
        if not self._pictures:
            raise SourceError(f"{self._folder}: read before it was opened")
        if not self._pacer.wait(round(self._count * self._period_ns)):
            return None
        if self._count >= len(self._pictures) and not self._loop:
            return None
        path = self._pictures[self._count % len(self._pictures)]
        self._count += 1
        captured_ns, captured_utc_ns = monotonic_ns(), utc_ns()
        try:
            pixels = load_picture(path)
        except CorruptFrameError as error:
            self._count_error(error)
            raise
        self._errors_in_a_row = 0
        return Grab(pixels, captured_ns, captured_utc_ns)

    def _count_error(self, error: CorruptFrameError) -> None:
        """A folder of broken pictures, looped, must not look busy for ever."""
        self._errors_in_a_row += 1
        if self._errors_in_a_row == MAX_ERRORS_IN_A_ROW:
            raise SourceError(f"{self._folder}: {MAX_ERRORS_IN_A_ROW} errors in a row; the last: {error}")

    def close(self) -> None:
        self._pictures = []

    def interrupt(self) -> None:
        self._pacer.interrupt()


def natural_order(path: Path) -> list[tuple[int, str]]:
    """Sorts numbers inside names by value: frame2 before frame10."""
    pieces = re.findall(r"[0-9]+|[^0-9]+", path.name)
    return [(int(piece), "") if piece.isdecimal() else (-1, piece.lower()) for piece in pieces]


def load_picture(path: Path) -> Pixels:
    """Raises CorruptFrameError, naming the file, for one that can't be read or is plainly broken."""
    try:
        data = path.read_bytes()
        if is_jpeg(data):
            return JpegPixels(data, jpeg_size(data))
        return BgrPixels(_decode(data))
    except OSError as error:
        raise CorruptFrameError(f"{path}: {error.strerror}") from error
    except CorruptFrameError as error:
        raise CorruptFrameError(f"{path}: {error}") from error


def _decode(data: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    if not data:
        raise CorruptFrameError("the file is empty")
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise CorruptFrameError("not a picture that can be decoded") from error
    if image is None:
        raise CorruptFrameError("not a picture that can be decoded")
    return np.asarray(image, np.uint8)
