"""Sequence and Sessions: every message that is lost, repeated, late or foreign is told as what it is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge_engine.client.sequence import Sequence, Sessions, Verdict


@given(st.lists(st.integers(1, 60), min_size=1, max_size=100))
def test_each_number_is_new_late_or_repeated_and_what_never_came_is_lost(numbers: list[int]) -> None:
    sequence, seen = Sequence(), set[int]()
    for number in numbers:
        verdict = sequence.judge(number)
        if number in seen:
            assert verdict is Verdict.REPEATED
        elif number < max(seen, default=0):
            assert verdict is Verdict.LATE
        else:
            assert verdict is Verdict.NEW
        seen.add(number)
        missing = set(range(numbers[0], max(seen) + 1)) - seen
        assert sequence.lost == len(missing)


def test_what_is_older_than_is_remembered_comes_again() -> None:
    sequence = Sequence()
    assert sequence.judge(1) is Verdict.NEW
    assert sequence.judge(10_000) is Verdict.NEW
    assert sequence.judge(9_745) is Verdict.LATE
    assert sequence.judge(9_744) is Verdict.REPEATED
    assert sequence.lost == 9_998 - 1


def test_a_session_that_is_over_never_speaks_again() -> None:
    sessions = Sessions()
    assert sessions.begin("a")
    assert not sessions.begin("a")
    assert not sessions.is_foreign("b")
    assert sessions.begin("b")
    assert sessions.is_foreign("a")
    assert not sessions.is_foreign("b")
    assert (sessions.current, sessions.restarts) == ("b", 1)
