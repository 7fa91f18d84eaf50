"""Reader: opens and reads one source in a thread of its own, which is left behind when a call hangs.

Drivers and network libraries keep their own time, or none: a call can take for ever. Whoever waits for a
reader waits by its own clock, and starts another one when that has run out.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import NamedTuple, TypeAlias

from edge_engine.clock import NS_PER_S, monotonic_ns
from edge_engine.errors import CorruptFrameError, one_line
from edge_engine.sources.source import Grab, Source
from edge_engine.state import LOGGER

_log = logging.getLogger(LOGGER)

# A reader this far ahead of who takes waits: the rest is the driver's or the network's to keep, or to drop.
_MOST_WAITING = 4


class Opened(NamedTuple):
    """The source is open; `description` is what it turned out to be."""

    description: str


class Ended(NamedTuple):
    """The source has no more pictures, and never will."""


News: TypeAlias = Opened | Grab | Ended | Exception
"""CorruptFrameError is one bad picture; after any other exception and after Ended there is no more."""


class Reader:
    """`take` is called by one thread, `abandon` by any; the condition guards all that they share.

    The source belongs to the reader's thread, which closes it, however late; only its `interrupt` is called
    from outside.
    """

    def __init__(self, source: Source, name: str) -> None:
        self._source = source
        self._changed = threading.Condition()
        self._news: deque[News] = deque()
        self._is_abandoned = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def take(self, until_ns: int) -> News | None:
        """The next news; None at `until_ns` of the monotonic clock without any, or once abandoned."""
        with self._changed:
            left_s = (until_ns - monotonic_ns()) / NS_PER_S
            self._changed.wait_for(lambda: self._news or self._is_abandoned, max(0.0, left_s))
            if self._is_abandoned or not self._news:
                return None
            news = self._news.popleft()
            self._changed.notify_all()
            return news

    @property
    def missed(self) -> int:
        """The source's own count."""
        return self._source.missed

    def abandon(self) -> None:
        """Nothing of it is ever taken again; its thread ends as soon as the call that it is in returns."""
        with self._changed:
            self._is_abandoned = True
            self._news.clear()
            self._changed.notify_all()
        self._source.interrupt()

    def is_alive(self) -> bool:
        """Whether the thread, and with it the source's device or connection, is still there."""
        return self._thread.is_alive()

    def join(self, timeout_s: float) -> bool:
        """Whether the thread has ended, within the time."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._source.open()
            is_wanted = self._tell(Opened(self._source.description))
            while is_wanted:
                is_wanted = self._tell(self._read())
        except Exception as error:
            self._tell(error)
        finally:
            self._close()

    def _close(self) -> None:
        """What fails here is only told: what comes next doesn't depend on a connection that is over."""
        try:
            self._source.close()
        except Exception as error:
            said = f"{type(error).__name__}: {one_line(error)}"
            _log.error("%s: closing failed: %s", threading.current_thread().name, said)

    def _read(self) -> News:
        try:
            return self._source.read() or Ended()
        except CorruptFrameError as error:
            return error

    def _tell(self, news: News) -> bool:
        """Whether more is wanted."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._news) < _MOST_WAITING or self._is_abandoned)
            if not self._is_abandoned:
                self._news.append(news)
                self._changed.notify_all()
            return not (self._is_abandoned or isinstance(news, Ended))
