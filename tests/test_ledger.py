"""Ledger: captured = published + in flight + Σ dropped, at every moment, in any order of events."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_engine.ledger import Cause, Ledger, LedgerError

fates = st.sampled_from(["published", *Cause])


def settle(ledger: Ledger, seq: int, fate: str) -> None:
    if fate == "published":
        ledger.published(seq)
    else:
        ledger.dropped(seq, Cause(fate))


def check(ledger: Ledger) -> None:
    counts = ledger.counts()
    assert counts.captured == counts.published + counts.in_flight + sum(counts.dropped.values())


@given(st.lists(fates), st.randoms())
def test_the_sum_holds_after_every_event(wanted: list[str], random: object) -> None:
    ledger = Ledger()
    for seq in range(len(wanted)):
        ledger.captured(seq)
        check(ledger)
    order = list(enumerate(wanted))
    random.shuffle(order)  # type: ignore[attr-defined]
    for seq, fate in order:
        settle(ledger, seq, fate)
        check(ledger)
    counts = ledger.counts()
    assert counts.in_flight == 0
    assert counts.published == wanted.count("published")
    assert counts.dropped == {c.value: wanted.count(c) for c in Cause if c in wanted}


def test_a_second_fate_is_refused() -> None:
    ledger = Ledger()
    ledger.captured(0)
    ledger.published(0)
    with pytest.raises(LedgerError):
        ledger.dropped(0, Cause.STALE)


def test_a_fate_without_capture_is_refused() -> None:
    with pytest.raises(LedgerError):
        Ledger().published(0)


def test_a_skipped_number_is_refused() -> None:
    with pytest.raises(LedgerError):
        Ledger().captured(1)


def test_sealing_settles_what_is_in_flight_and_ends_the_counting() -> None:
    ledger = Ledger()
    for seq in range(3):
        ledger.captured(seq)
    ledger.published(1)
    ledger.seal()
    ledger.published(2)
    ledger.captured(3)
    counts = ledger.counts()
    assert (counts.captured, counts.published, counts.in_flight) == (3, 1, 0)
    assert counts.dropped == {"shutdown": 2}


def test_frames_are_stuck_until_one_is_done_with() -> None:
    ledger = Ledger()
    assert ledger.stuck_ns() == 0
    ledger.captured(0)
    ledger.captured(1)
    first = ledger.stuck_ns()
    assert ledger.stuck_ns() > first
    ledger.dropped(0, Cause.OVERWRITTEN)
    assert ledger.stuck_ns() > first, "the camera moves, the engine doesn't"
    since_ns = time.monotonic_ns()
    ledger.captured(2)
    ledger.published(1)
    stuck_ns = ledger.stuck_ns()
    assert stuck_ns <= time.monotonic_ns() - since_ns
    ledger.published(2)
    assert ledger.stuck_ns() == 0


def test_a_frame_is_stuck_also_when_others_pass_it() -> None:
    ledger = Ledger()
    ledger.captured(0)
    since_ns = time.monotonic_ns()
    for seq in range(1, 4):
        ledger.captured(seq)
        ledger.published(seq)
    now_ns = time.monotonic_ns()
    assert ledger.stuck_ns() >= now_ns - since_ns
    ledger.published(0)
    assert ledger.stuck_ns() == 0


def test_the_last_reason_of_each_cause_is_kept() -> None:
    ledger = Ledger()
    for seq, (cause, reason) in enumerate([(Cause.CORRUPT, "a"), (Cause.CORRUPT, "b"), (Cause.STALE, "")]):
        ledger.captured(seq)
        ledger.dropped(seq, cause, reason)
    assert ledger.reasons() == {"corrupt": "b"}


@settings(max_examples=20, deadline=None)
@given(st.lists(fates, min_size=50, max_size=200))
def test_the_sum_holds_while_threads_write(wanted: list[str]) -> None:
    ledger = Ledger()
    captured = [threading.Event() for _ in wanted]
    failures: list[BaseException] = []

    def capture() -> None:
        for seq, event in enumerate(captured):
            ledger.captured(seq)
            event.set()

    def finish(part: int) -> None:
        try:
            for seq in range(part, len(wanted), 2):
                captured[seq].wait(5)
                settle(ledger, seq, wanted[seq])
        except BaseException as error:
            failures.append(error)

    threads = [
        threading.Thread(target=capture),
        *(threading.Thread(target=finish, args=(i,)) for i in (0, 1)),
    ]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        check(ledger)
    assert not failures
    assert ledger.counts().in_flight == 0
