from __future__ import annotations

import threading

import pytest

from edge_engine.clock import NS_PER_S
from edge_engine.sources import pacing
from edge_engine.sources.pacing import Pacer


class Hand:
    """A clock moved by hand, and the event whose waits move it."""

    def __init__(self) -> None:
        self.now_ns = 5 * NS_PER_S
        self.waits_s: list[float] = []

    def monotonic_ns(self) -> int:
        return self.now_ns

    def wait(self, seconds: float) -> bool:
        self.waits_s.append(seconds)
        self.now_ns += round(seconds * NS_PER_S)
        return False


@pytest.fixture
def hand(monkeypatch: pytest.MonkeyPatch) -> Hand:
    hand = Hand()
    monkeypatch.setattr(pacing, "monotonic_ns", hand.monotonic_ns)
    return hand


def pacer_on(hand: Hand) -> Pacer:
    pacer = Pacer(is_paced=True)
    pacer._interrupted = hand  # type: ignore[assignment]
    return pacer


def test_each_picture_waits_for_its_own_time(hand: Hand) -> None:
    pacer = pacer_on(hand)
    for due_ms in (0, 40, 50, 130):
        assert pacer.wait(due_ms * 1_000_000)
    assert hand.waits_s == pytest.approx([0, 0.04, 0.01, 0.08])


def test_a_little_late_is_caught_up(hand: Hand) -> None:
    pacer = pacer_on(hand)
    pacer.wait(0)
    hand.now_ns += 900_000_000
    pacer.wait(40_000_000)
    pacer.wait(1_000_000_000)
    assert hand.waits_s == pytest.approx([0, 0, 0.1])


def test_too_late_starts_afresh_from_now(hand: Hand) -> None:
    pacer = pacer_on(hand)
    pacer.wait(0)
    hand.now_ns += 3 * NS_PER_S
    pacer.wait(40_000_000)
    pacer.wait(80_000_000)
    assert hand.waits_s == pytest.approx([0, 0, 0.04])


def test_unpaced_never_waits() -> None:
    pacer = Pacer(is_paced=False)
    assert pacer.wait(10**18)
    pacer.interrupt()
    assert not pacer.wait(0)


def test_an_interrupt_ends_a_wait_from_another_thread() -> None:
    pacer = Pacer(is_paced=True)
    pacer.wait(0)
    results: list[bool] = []
    thread = threading.Thread(target=lambda: results.append(pacer.wait(1000 * NS_PER_S)))
    thread.start()
    pacer.interrupt()
    thread.join(10)
    assert results == [False]
