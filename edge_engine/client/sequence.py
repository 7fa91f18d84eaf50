"""Sequence: which of a stream's results is new, which was lost, came again, late, or from somebody else."""

from __future__ import annotations

from collections import deque
from enum import Enum

_REMEMBERED = 256
"""So many numbers behind the newest one are known one by one; what is older is taken to come again."""
_MOST_RETIRED = 64


class Verdict(Enum):
    NEW = "new"
    REPEATED = "repeated"
    LATE = "late"  # a newer one came first


class Sequence:
    """Numbers of one stream in one session; the first one that is seen begins it."""

    def __init__(self) -> None:
        self.lost = 0
        self._newest: int | None = None
        self._first = 0
        self._seen = 0  # bit k: newest - k has come

    def judge(self, number: int) -> Verdict:
        if self._newest is None:
            self._newest, self._first, self._seen = number, number, 1
            return Verdict.NEW
        ahead = number - self._newest
        if ahead > 0:
            self.lost += ahead - 1
            self._seen = (self._seen << min(ahead, _REMEMBERED) | 1) & ((1 << _REMEMBERED) - 1)
            self._newest = number
            return Verdict.NEW
        if -ahead >= _REMEMBERED or self._seen >> -ahead & 1:
            return Verdict.REPEATED
        self._seen |= 1 << -ahead
        self.lost -= number > self._first  # what came before the first one was never missed
        return Verdict.LATE


class Sessions:
    """Which run of the engine speaks: one that another has followed never does again."""

    def __init__(self) -> None:
        self.current = ""
        self.restarts = 0
        self._retired: deque[str] = deque(maxlen=_MOST_RETIRED)

    def is_foreign(self, session: str) -> bool:
        return session in self._retired

    def begin(self, session: str) -> bool:
        """Whether this is a new one."""
        if session == self.current:
            return False
        if self.current:
            self._retired.append(self.current)
            self.restarts += 1
        self.current = session
        return True
