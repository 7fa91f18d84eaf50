"""What every source can do. The capture thread alone calls `open`, `read` and `close`."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from edge_engine.pixels import Pixels


class Grab(NamedTuple):
    """One delivered picture and its capture stamps: monotonic and UTC, in nanoseconds. `media_ns`: when it is
    to be shown by a recording's own clock, which never goes back."""

    pixels: Pixels
    captured_ns: int
    captured_utc_ns: int
    media_ns: int | None = None


class Source(Protocol):
    """A camera, file or generator, not yet open.

    `is_live`: it can't be held up, and may vanish and come back. Such a source is one connection and keeps no
    time limits and makes no second tries of its own: LiveSource does that for all of them. A call of it that
    waits should still end at `interrupt`, or within some seconds, where the library underneath can be told
    to. `missed`: pictures that it knows to have existed but never got, such as those that a driver had no
    buffer for. `description`: what it turned out to be once open, such as `/dev/video0: 1280x720 MJPG at 30
    fps`; it shows no credentials.
    """

    @property
    def is_live(self) -> bool: ...

    @property
    def description(self) -> str: ...

    @property
    def missed(self) -> int: ...

    def expected_size(self) -> tuple[int, int] | None:
        """Called before `open`: (width, height) of the pictures, where that can be told in a moment."""
        ...

    def open(self) -> None:
        """Raises SourceError, in one line, when there is nothing to read. Leaves nothing open then."""
        ...

    def read(self) -> Grab | None:
        """The next picture; None when the source has ended for good or was interrupted.

        Raises CorruptFrameError for one bad picture (reading can go on) and SourceError when the
        source is lost, which a live one may come back from.
        """
        ...

    def close(self) -> None:
        """Gives everything back; safe to call twice and before `open`."""
        ...

    def interrupt(self) -> None:
        """Called from any thread: a paced wait ends at once, and `read` returns None from then on."""
        ...
