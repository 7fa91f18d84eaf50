"""What every source can do. The capture thread alone calls `open`, `read` and `close`."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from edge_engine.pixels import Pixels


class Grab(NamedTuple):
    """One delivered picture and its capture stamps: monotonic and UTC, in nanoseconds."""

    pixels: Pixels
    captured_ns: int
    captured_utc_ns: int


class Source(Protocol):
    """A camera, file or generator, not yet open."""

    def expected_size(self) -> tuple[int, int] | None:
        """Called before `open`: (width, height) of the pictures, where that can be told in a moment."""
        ...

    def open(self) -> None:
        """Raises SourceError, in one line, when there is nothing to read. Leaves nothing open then."""
        ...

    def read(self) -> Grab | None:
        """The next picture; None when the source has ended or was interrupted.

        Raises CorruptFrameError for one bad picture (reading can go on) and SourceError when the
        source is lost.
        """
        ...

    def close(self) -> None:
        """Gives everything back; safe to call twice and before `open`."""
        ...

    def interrupt(self) -> None:
        """Called from any thread: a paced wait ends at once, and `read` returns None from then on."""
        ...
