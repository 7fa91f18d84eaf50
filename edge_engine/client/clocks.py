"""Clocks: what a publisher's monotonic clock shows now, on this machine or another one."""

from __future__ import annotations

import re

from edge_engine.client.clock_sync import ClockSync, Offset
from edge_engine.client.credentials import Credentials
from edge_engine.clock import clock_id, monotonic_ns
from edge_engine.wire import DescribeMessage

_SAME_CLOCK = Offset(0, 0)


class Clocks:
    """`endpoint`: where the publisher's results come from."""

    def __init__(self, endpoint: str, credentials: Credentials | None) -> None:
        self._endpoint = endpoint
        self._credentials = credentials
        self._own = clock_id()
        self._sync: ClockSync | None = None

    def follow(self, described: DescribeMessage) -> None:
        """Begins to compare, where the publisher's clock is another one."""
        clock, address = described.clock, re.match(r"(tcp://.+):\d+\Z", self._endpoint)
        if clock in ("", self._own) or not described.clock_port or address is None:
            return
        endpoint = f"{address[1]}:{described.clock_port}"
        if self._sync is None or (self._sync.clock, self._sync.endpoint) != (clock, endpoint):
            self.end_sync()
            self._sync = ClockSync(endpoint, clock, self._credentials)

    def latest_ns(self, clock: str) -> int | None:
        """The latest that the clock of that name can show now; None while it isn't known."""
        offset = self._offset(clock)
        return None if offset is None else monotonic_ns() + offset.ns + offset.uncertainty_ns

    def likely_ns(self, clock: str) -> int:
        """What it shows, as well as is known."""
        offset = self._offset(clock)
        return monotonic_ns() + (offset.ns if offset is not None else 0)

    def _offset(self, clock: str) -> Offset | None:
        """How far that clock is ahead of ours; None while nobody has told."""
        if clock in ("", self._own):
            return _SAME_CLOCK
        if self._sync is not None and self._sync.clock == clock:
            return self._sync.offset
        return None

    def end_sync(self) -> None:
        if self._sync is not None:
            self._sync.close()
        self._sync = None
