"""Timeline: when a stream's pictures were captured, told from the sender's own clock and the fastest of them.

A network delays every packet, some more than others. The sender's stamps (pts) tell how far apart pictures
were captured, and the smallest delay seen how far that clock is from ours. So a picture that was held up
looks as old as it is, however late it comes; only the part of the delay that never goes away stays unknown.
Pictures that from some moment on are all late, such as those of a decoder that can't keep up, stay old too:
a delay is forgiven no faster than clocks drift apart.
"""

from __future__ import annotations

from edge_engine.clock import NS_PER_S

WINDOW_NS = 15 * NS_PER_S
"""The smallest delay of the last one to two windows counts, so that a sender's clock may drift against
ours.
"""

MAX_DRIFT = 0.002
"""So much slower than ours may the sender's clock go; a camera of 29.97 pictures a second that counts them as
30 is off by half of that. A second of lasting delay is forgiven in more than eight minutes."""

MAX_STEP_NS, MAX_BACK_NS = 10 * NS_PER_S, NS_PER_S
"""From one packet's stamp to the next. Pictures are sent out of their order by less than a second; a larger
step that the arrivals did not make is a sender that has set its clock anew."""


class Timeline:
    """One connection's. `arrived` is told each packet's stamp, `captured_ns` asked for each picture's."""

    def __init__(self) -> None:
        self._offset_ns: int | None = None  # arrival minus pts, the smallest of this window
        self._before_ns = 0  # of the one before
        self._window_ends_ns = 0
        self._smallest_ns = 0  # what counts: follows the windows' smallest, upwards by MAX_DRIFT at most
        self._arrival_ns = 0
        self._pts_ns = 0
        self._last_ns = 0

    @property
    def is_known(self) -> bool:
        """Whether the sender stamps its packets."""
        return self._offset_ns is not None

    def arrived(self, pts_ns: int, arrival_ns: int) -> None:
        """`pts_ns` on the sender's clock, `arrival_ns` on ours."""
        offset_ns = arrival_ns - pts_ns
        if self._offset_ns is None or self._is_new_clock(pts_ns, offset_ns):
            self._offset_ns = self._before_ns = self._smallest_ns = offset_ns
            self._window_ends_ns = arrival_ns + WINDOW_NS
        elif arrival_ns >= self._window_ends_ns:
            self._before_ns, self._offset_ns = self._offset_ns, offset_ns
            self._window_ends_ns = arrival_ns + WINDOW_NS
        else:
            self._offset_ns = min(self._offset_ns, offset_ns)
        drifted_ns = int(MAX_DRIFT * max(0, arrival_ns - self._arrival_ns))
        self._smallest_ns = min(self._offset_ns, self._before_ns, self._smallest_ns + drifted_ns)
        self._pts_ns, self._arrival_ns = pts_ns, arrival_ns

    def _is_new_clock(self, pts_ns: int, offset_ns: int) -> bool:
        step_ns = pts_ns - self._pts_ns
        has_jumped = not -MAX_BACK_NS <= step_ns <= MAX_STEP_NS
        return has_jumped and abs(offset_ns - self._smallest_ns) > MAX_BACK_NS

    def captured_ns(self, pts_ns: int | None, now_ns: int) -> int:
        """On our clock, never after `now_ns`, always after the picture before; `now_ns` where nothing
        tells.
        """
        stamp_ns = now_ns
        if pts_ns is not None and self._offset_ns is not None:
            stamp_ns = min(now_ns, pts_ns + self._smallest_ns)
        self._last_ns = max(stamp_ns, self._last_ns + 1)
        return self._last_ns
