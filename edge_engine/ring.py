"""Ring: preallocated slots handed from producers to consumers.

    producer: acquire → fill → commit        consumer: take → release

Two policies. `live`: the newest wins; the producer never waits, an unread slot is taken back and
told to `on_overwrite`. `lossless`: the producer waits, nothing is lost, order is kept. A lossless
ring can also be pulled: with `prefetch=0` a slot is handed out only while a consumer is waiting
for one, so that no work is begun before somebody is free to go on with it.

Any number of threads may produce and consume; one lock guards everything in here. Each change wakes at
most one thread that can go on because of it: a needless wake-up costs as much as a small picture's resize.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Generic, TypeVar

from edge_engine.clock import monotonic_ns


class Policy(str, Enum):
    LIVE = "live"
    LOSSLESS = "lossless"


class RingClosed(Exception):  # noqa: N818 - a signal to leave the loop, not an error
    """Nothing more will come out (or go in): the ring was closed and is empty, or was aborted."""


class Slot:
    """What a ring hands round. `ticket` counts the commits, from 0, without gaps."""

    __slots__ = ("ticket",)

    def __init__(self) -> None:
        self.ticket = -1


S = TypeVar("S", bound=Slot)


class Ring(Generic[S]):
    """`slots` must outnumber what producers and consumers hold at one time.

    A live ring of p producers and c consumers needs p + c + 1 slots: at most one is unread, so that
    `acquire` always finds a free one without waiting. `prefetch` (lossless) bounds how far producers
    may run ahead of the waiting consumers; None means as far as there are slots.

    `waited_for_room_ns` and `waited_for_items_ns` sum up, over all threads, how long they had to wait.
    """

    def __init__(
        self,
        slots: Sequence[S],
        policy: Policy = Policy.LOSSLESS,
        *,
        producers: int = 1,
        prefetch: int | None = None,
        on_overwrite: Callable[[S], None] | None = None,
    ) -> None:
        self.slots = tuple(slots)
        self._policy = policy
        self._prefetch = len(self.slots) if prefetch is None else prefetch
        self._on_overwrite = on_overwrite
        self._lock = threading.Lock()
        self._items = threading.Condition(self._lock)
        self._queue: deque[threading.Condition] = deque()  # producers that wait for room, the first first
        self._free = deque(self.slots)
        self._ready: deque[S] = deque()
        self._filling = 0
        self._waiting = 0
        self._collecting = 0
        self._tickets = 0
        self._producers = producers
        self._aborted = False
        self._nudged = False
        self.waited_for_room_ns = 0
        self.waited_for_items_ns = 0

    def acquire(self) -> S:
        """A slot to fill; waits for room, of which a live ring always has. RingClosed once aborted.

        Producers take turns: nobody gets ahead of one that has waited longer.
        """
        with self._lock:
            if self._queue or not self._has_room():
                self._wait_for_room()
            if self._aborted:
                raise RingClosed
            self._filling += 1
            slot = self._free.popleft()
            self._offer_room()
            return slot

    def _wait_for_room(self) -> None:
        turn = threading.Condition(self._lock)
        self._queue.append(turn)
        self.waited_for_room_ns += _wait(
            turn, lambda: self._aborted or (self._queue[0] is turn and self._has_room())
        )
        self._queue.remove(turn)

    def _has_room(self) -> bool:
        if self._policy is Policy.LIVE:
            return bool(self._free)
        ahead = len(self._ready) + self._filling
        return bool(self._free) and ahead < self._waiting + self._prefetch

    def _offer_room(self) -> None:
        """To the first in the queue, who offers what is left to the next."""
        if self._queue and self._has_room():
            self._queue[0].notify()

    def commit(self, slot: S) -> None:
        """Hand a filled slot on. In a live ring it replaces whatever is still unread."""
        overwritten: list[S] = []
        with self._lock:
            self._filling -= 1
            if self._policy is Policy.LIVE:
                overwritten.extend(self._ready)
                self._ready.clear()
            slot.ticket = self._tickets
            self._tickets += 1
            if not self._aborted:
                self._ready.append(slot)
            self._tell_of_items()
        for old in overwritten:
            if self._on_overwrite is not None:
                self._on_overwrite(old)
            self.release(old)

    def discard(self, slot: S) -> None:
        """Give an acquired slot back unfilled."""
        with self._lock:
            self._filling -= 1
            self._free.append(slot)
            self._offer_room()
            if self._collecting:
                self._tell_of_items()

    def _tell_of_items(self) -> None:
        """Who collects may have to go on waiting, so that one wake-up could reach the wrong consumer."""
        self._items.notify(self._waiting if self._collecting else 1)

    def wait(self) -> None:
        """Returns when a slot is ready; RingClosed when none will ever be. For a ring's only consumer."""
        with self._lock:
            self._wait_for_items()
            if not self._ready:
                raise RingClosed

    def take(self, timeout_s: float | None = None) -> S | None:
        """The oldest ready slot; None after `timeout_s` or a nudge; RingClosed when none will ever come."""
        with self._lock:
            self._waiting += 1
            self._offer_room()
            try:
                self._wait_for_items(timeout_s)
            finally:
                self._waiting -= 1
            if self._ready:
                slot = self._ready.popleft()
                self._offer_room()
                return slot
            if self._is_over():
                raise RingClosed
            self._nudged = False
            return None

    def take_many(self, most: int) -> list[S]:
        """The oldest ready slots, up to `most`; RingClosed when none will ever come.

        Waits for the first, and then only for those that are being filled already.
        """
        with self._lock:
            self._waiting += most
            self._collecting += 1
            self._offer_room()
            try:
                self.waited_for_items_ns += _wait(self._items, lambda: self._has_collected(most))
            finally:
                self._waiting -= most
                self._collecting -= 1
            if not self._ready:
                raise RingClosed
            slots = [self._ready.popleft() for _ in range(min(most, len(self._ready)))]
            self._offer_room()
            return slots

    def _has_collected(self, most: int) -> bool:
        is_whole = len(self._ready) >= most or self._filling == 0
        return bool(self._ready and is_whole) or self._is_over()

    def _wait_for_items(self, timeout_s: float | None = None) -> None:
        waited_ns = _wait(self._items, lambda: self._ready or self._nudged or self._is_over(), timeout_s)
        self.waited_for_items_ns += waited_ns

    def release(self, slot: S) -> None:
        """Give a taken slot back, to be filled again."""
        with self._lock:
            self._free.append(slot)
            self._offer_room()

    def nudge(self) -> None:
        """Who waits in `take`, or comes to it next, need not wait: there is something else to see to. For a
        ring's only consumer.
        """
        with self._lock:
            self._nudged = True
            self._items.notify()

    def _is_over(self) -> bool:
        return self._aborted or self._producers == 0

    def close(self) -> None:
        """One producer has no more; when all have, consumers get what is left and then RingClosed."""
        with self._lock:
            self._producers -= 1
            self._items.notify_all()

    def abort(self) -> None:
        """Wake everybody with RingClosed, now; unread slots are forgotten."""
        with self._lock:
            self._aborted = True
            self._ready.clear()
            self._items.notify_all()
            for turn in self._queue:
                turn.notify()


def _wait(
    condition: threading.Condition, may_go_on: Callable[[], object], timeout_s: float | None = None
) -> int:
    """For how many nanoseconds; none where nothing has to be waited for."""
    if may_go_on():
        return 0
    started_ns = monotonic_ns()
    condition.wait_for(may_go_on, timeout_s)
    return monotonic_ns() - started_ns
