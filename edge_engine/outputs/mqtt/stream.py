"""StreamTopics: what one stream's retained topics say."""

from __future__ import annotations

import re

import msgspec
import numpy as np

from edge_engine.clock import NS_PER_MS
from edge_engine.outputs.mqtt.board import Board
from edge_engine.outputs.mqtt.discovery import Announcer
from edge_engine.outputs.queued import Pulse
from edge_engine.result import Result

ONLINE, OFFLINE = b"online", b"offline"
_OURS = ("available", "state", "result", "all")
_NO_HEARTBEAT_NS = 2000 * NS_PER_MS


class StreamTopics:
    def __init__(
        self, topic: str, stream: str, board: Board, stale_after_ms: int, announcer: Announcer | None
    ) -> None:
        """`topic`: that above the stream's. Without a valid result for `stale_after_ms` it is offline."""
        self.topic, self._stream, self._board = topic, stream, board
        self._stale_after_ns = stale_after_ms * NS_PER_MS
        self._announcer = announcer
        self._labels: set[str] = set()
        self._valid_ns: int | None = None
        self._doubt = ""
        self.is_online = False
        self._say_state("opening", "")
        self._say_available()

    def expect(self, labels: tuple[str, ...]) -> None:
        """Labels that are told of before they are seen."""
        for label in labels:
            self._count(label, 0)

    def take(self, result: Result) -> None:
        self._doubt = result.frame.doubt
        if self._doubt:
            return
        self._valid_ns = result.published_ns
        objects = result.objects
        is_seen = objects.are_seen()
        found, numbers = np.unique(objects.class_ids[is_seen], return_counts=True)
        seen = {result.labels[i]: n for i, n in zip(found.tolist(), numbers.tolist(), strict=True)}
        for label in self._labels | seen.keys():
            self._count(label, seen.get(label, 0))
        self._board.set(f"{self.topic}/all", b"%d" % is_seen.sum(), is_paced=True)

    def _count(self, label: str, n: int) -> None:
        topic = f"{self.topic}/{_level(label)}"
        if label not in self._labels:
            self._labels.add(label)
            if self._announcer is not None:
                self._announcer.announce(label, topic)
        self._board.set(topic, b"%d" % n, is_paced=True)

    def look(self, pulse: Pulse, now_ns: int) -> None:
        """Whether what it says is still true."""
        if not pulse.beaten_ns:
            return
        health = pulse.health.get(self._stream) if now_ns - pulse.beaten_ns < _NO_HEARTBEAT_NS else None
        if health is None:
            self._say_state("hangs", "a stage of the engine hangs")
        elif health.is_paused:
            self._say_state("paused", "by request")
        else:
            self._say_state(health.status.state.value, self._doubt or health.status.reason)
        is_fresh = self._valid_ns is not None and now_ns - self._valid_ns <= self._stale_after_ns
        is_well = health is not None and not health.is_paused and not health.status.is_over
        self.is_online = is_fresh and is_well
        self._say_available()

    def leave(self) -> None:
        self.is_online = False
        self._say_available()

    def _say_state(self, state: str, reason: str) -> None:
        said = msgspec.json.encode({"state": state, "reason": reason})
        self._board.set(f"{self.topic}/state", said)

    def _say_available(self) -> None:
        self._board.set(f"{self.topic}/available", ONLINE if self.is_online else OFFLINE)


def _level(label: str) -> str:
    """A label as one level of a topic, which has no +, #, / or control characters, and isn't one of ours."""
    level = re.sub(r"[+#/\x00-\x1f\x7f]", "_", label)
    return f"{level}_" if level in _OURS else level
