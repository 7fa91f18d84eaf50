"""ClockSync: how far the publisher's monotonic clock is from this machine's, and how sure that is.

Cristian's algorithm (1989), as NTP has it: a request leaves here at a, arrives there at b, is answered at c,
and the answer is back at d. Nothing arrives before it was sent, so whatever the network does

    c - d  <=  there - here  <=  b - a

and the quickest of many exchanges make that narrow: the smallest b - a and the largest c - d hold. Quartz
drifts, so a bound loosens as it ages. Wall clocks have no part in it.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import NamedTuple

import zmq

from edge_engine.client.credentials import Credentials, protect
from edge_engine.clock import NS_PER_MS, NS_PER_S, monotonic_ns
from edge_engine.wire import ClockReply, ClockRequest, WireError, decode_clock, encode_clock

MAX_DRIFT = 600e-6
"""Two clocks gain on each other by less: quartz by 100 parts in a million, and what adjusts a clock, such as
NTP, by 500 at most (adjtimex(2))."""

_KEPT = 64
_FIRST, _FIRST_EVERY_S, _EVERY_S = 8, 0.02, 0.5
_ANSWER_MS = 500
_LONGEST_ANSWER = 1024


class Offset(NamedTuple):
    """`there - here` lies within `ns` ± `uncertainty_ns`."""

    ns: int
    uncertainty_ns: int


class Bounds(NamedTuple):
    """What one exchange says, which began `at_ns` here."""

    lower_ns: int
    upper_ns: int
    at_ns: int


def bounds(asked_ns: int, received_ns: int, answered_ns: int, back_ns: int) -> Bounds:
    return Bounds(answered_ns - back_ns, received_ns - asked_ns, asked_ns)


def narrowest(known: list[Bounds], now_ns: int) -> Offset | None:
    """What all of them agree on; the newest ones alone where a clock has been changed since the older ones
    were taken, such as by a machine's sleep. None without any.
    """
    lower_ns = upper_ns = 0
    for number, each in enumerate(reversed(known)):
        loose_ns = int(MAX_DRIFT * (now_ns - each.at_ns)) + 2
        lowest_ns, highest_ns = each.lower_ns - loose_ns, each.upper_ns + loose_ns
        if number and (lowest_ns > upper_ns or highest_ns < lower_ns):
            break
        lower_ns = max(lower_ns, lowest_ns) if number else lowest_ns
        upper_ns = min(upper_ns, highest_ns) if number else highest_ns
    if not known:
        return None
    return Offset((lower_ns + upper_ns) // 2, (upper_ns - lower_ns + 1) // 2)


class ClockSync:
    """Asks in a thread of its own, so that an answer's time is taken when it comes. Any thread may look."""

    def __init__(self, endpoint: str, clock: str, credentials: Credentials | None) -> None:
        """`clock`: the name of the clock that is to answer; another one's answers count for nothing."""
        self._credentials = credentials
        self.endpoint = endpoint
        self.clock = clock
        self._known: deque[Bounds] = deque(maxlen=_KEPT)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clock-sync", daemon=True)
        self._thread.start()

    @property
    def offset(self) -> Offset | None:
        """None until an answer has come."""
        return narrowest(list(self._known), monotonic_ns())

    def _run(self) -> None:
        exchanges = 0
        while not self._closing.wait(_FIRST_EVERY_S if exchanges < _FIRST else _EVERY_S):
            # A new socket each time: what was asked of a publisher that is gone is not asked of the next one.
            socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.DEALER)
            with socket:
                exchanges += self._exchange(socket)

    def _exchange(self, socket: zmq.Socket[bytes]) -> bool:
        """Whether there was an answer. The first message makes the connection; the second one is timed."""
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.MAXMSGSIZE, _LONGEST_ANSWER)
        protect(socket, self._credentials)
        socket.connect(self.endpoint)
        return self._ask(socket) and self._ask(socket)

    def _ask(self, socket: zmq.Socket[bytes]) -> bool:
        asked_ns = monotonic_ns()
        socket.send(encode_clock(ClockRequest(sent_ns=asked_ns)))
        while socket.poll(_ANSWER_MS):
            back_ns = monotonic_ns()
            try:
                reply = decode_clock(socket.recv(), ClockReply)
            except WireError:
                continue
            if reply.clock != self.clock:
                return False
            if reply.asked_ns == asked_ns:
                self._known.append(bounds(asked_ns, reply.received_ns, reply.answered_ns, back_ns))
                return True
        return False

    def close(self) -> None:
        self._closing.set()
        self._thread.join(2 * _ANSWER_MS * NS_PER_MS / NS_PER_S)
