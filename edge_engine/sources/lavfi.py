"""LavfiSource: FFmpeg's own test sources, such as lavfi:testsrc2=size=640x480:rate=25,realtime"""

from __future__ import annotations

import threading

from edge_engine.errors import SourceError
from edge_engine.sources.feed import Feed
from edge_engine.sources.source import Grab
from edge_engine.sources.uri import Size, SourceUri


class LavfiSource:
    """Without the filter `realtime` at its end it goes as fast as it is read. It ends when its graph does."""

    is_live = True
    missed = 0

    def __init__(self, uri: SourceUri, *, pace: bool, loop: bool) -> None:
        uri.expect_options()
        self._graph = uri.target
        self._name = uri.text
        self._interrupted = threading.Event()
        self._feed: Feed | None = None
        self.description = self._name

    def expected_size(self) -> Size | None:
        """None: only the graph tells."""
        return None

    def open(self) -> None:
        self._feed = Feed(self._graph, self._name, {}, demuxer="lavfi")
        self.description = f"{self._name}: {self._feed.description}".replace(" wrapped_avframe", "")

    def read(self) -> Grab | None:
        if self._feed is None:
            raise SourceError(f"{self._name}: read before it was opened")
        return None if self._interrupted.is_set() else self._feed.read()

    def close(self) -> None:
        if self._feed is not None:
            self._feed.close()
        self._feed = None

    def interrupt(self) -> None:
        """The picture that is waited for is the last."""
        self._interrupted.set()
