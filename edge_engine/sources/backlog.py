"""Backlog: after a pause in a stream without stamps, which pictures are the past, sent late.

A camera or network that was held up sends what it kept in one go: pictures that come like new ones, and are
as old as the pause was long. What shows them is that they come faster than the camera makes them. So after a
pause a picture counts as the newest only once half a period has passed in which none followed it. A pause
holds no more pictures than fit into it: that many may be left out, and then what comes is taken as it is.
"""

from __future__ import annotations

from edge_engine.clock import NS_PER_S

_PAUSE_PERIODS = 2.5
_QUIET_PERIODS = 0.5
_LEARNT = 1 / 8
"""What one picture adds to the period that is known."""


class Backlog:
    """One connection's, in its reader's thread."""

    def __init__(self) -> None:
        self._period_ns = 0.0
        self._last_ns: int | None = None
        self._owed = 0

    @property
    def wait_s(self) -> float:
        """How long to wait for something newer than the picture at hand; 0 in a stream without a pause."""
        return _QUIET_PERIODS * self._period_ns / NS_PER_S if self._owed else 0.0

    def came(self, pictures: int, now_ns: int) -> None:
        """So many, by now."""
        last_ns, self._last_ns = self._last_ns, now_ns
        if last_ns is None:
            return
        gap_ns = now_ns - last_ns
        if self._owed:
            self._owed = max(0, self._owed - pictures)
        elif self._period_ns and gap_ns > _PAUSE_PERIODS * self._period_ns:
            self._owed = max(0, round(gap_ns / self._period_ns) - pictures)
        else:
            each_ns = gap_ns / pictures
            self._period_ns += (each_ns - self._period_ns) * _LEARNT if self._period_ns else each_ns

    def end(self) -> None:
        """Nothing followed."""
        self._owed = 0
