"""Ring: policies, pulling, closing, and invariants under random schedules of real threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_engine.ring import Policy, Ring, RingClosed, Slot
from tests.rigs.peer import PATIENCE_S, wait_until


class Box(Slot):
    """A slot that carries one number."""

    def __init__(self) -> None:
        super().__init__()
        self.value = -1


def make_ring(n: int = 4, policy: Policy = Policy.LOSSLESS, **kwargs: object) -> Ring[Box]:
    return Ring([Box() for _ in range(n)], policy, **kwargs)  # type: ignore[arg-type]


def put(ring: Ring[Box], value: int) -> None:
    slot = ring.acquire()
    slot.value = value
    ring.commit(slot)


def get(ring: Ring[Box]) -> int:
    slot = ring.take()
    assert slot is not None
    value = slot.value
    ring.release(slot)
    return value


def in_thread(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_lossless_keeps_order() -> None:
    ring = make_ring(4)
    for value in range(4):
        put(ring, value)
    assert [get(ring) for _ in range(4)] == [0, 1, 2, 3]


def test_a_lossless_producer_waits_for_room() -> None:
    ring = make_ring(2)
    put(ring, 0)
    put(ring, 1)
    producer = in_thread(lambda: put(ring, 2))
    producer.join(0.05)
    assert producer.is_alive()
    assert get(ring) == 0
    producer.join(5)
    assert not producer.is_alive()
    assert [get(ring), get(ring)] == [1, 2]


def test_in_a_live_ring_the_newest_wins_and_the_rest_is_told() -> None:
    overwritten: list[int] = []
    ring = make_ring(3, Policy.LIVE, on_overwrite=lambda slot: overwritten.append(slot.value))
    for value in range(10):
        put(ring, value)
    assert get(ring) == 9
    assert overwritten == list(range(9))


def test_a_live_producer_never_waits_while_a_consumer_holds_a_slot() -> None:
    ring = make_ring(3, Policy.LIVE)
    put(ring, 0)
    held = ring.take()
    for value in range(1, 50):
        put(ring, value)
    assert held is not None
    assert held.value == 0
    ring.release(held)
    assert get(ring) == 49


def test_a_pulled_ring_gives_room_only_while_a_consumer_waits() -> None:
    ring = make_ring(4, prefetch=0)
    producer = in_thread(lambda: put(ring, 7))
    producer.join(0.05)
    assert producer.is_alive()
    assert get(ring) == 7
    producer.join(5)
    assert not producer.is_alive()


def test_tickets_count_commits_without_gaps_even_when_slots_are_discarded() -> None:
    ring = make_ring(4)
    put(ring, 0)
    ring.discard(ring.acquire())
    put(ring, 1)
    first, second = ring.take(), ring.take()
    assert first is not None
    assert second is not None
    assert [first.ticket, second.ticket] == [0, 1]


def test_take_many_gives_what_is_ready_up_to_its_limit() -> None:
    ring = make_ring(5)
    for value in range(5):
        put(ring, value)
    assert [slot.value for slot in ring.take_many(3)] == [0, 1, 2]
    assert [slot.value for slot in ring.take_many(3)] == [3, 4]


def test_take_many_waits_for_what_is_being_filled_but_not_for_what_may_never_come() -> None:
    ring = make_ring(4, producers=2)
    filling = ring.acquire()
    put(ring, 1)
    got: list[list[int]] = []
    consumer = in_thread(lambda: got.append([slot.value for slot in ring.take_many(4)]))
    consumer.join(0.05)
    assert consumer.is_alive(), "it left a slot behind that was about to come"
    filling.value = 2
    ring.commit(filling)
    consumer.join(5)
    assert got == [[1, 2]]


def test_take_many_goes_on_when_the_slot_it_waits_for_is_discarded() -> None:
    ring = make_ring(4)
    filling = ring.acquire()
    put(ring, 1)
    got: list[int] = []
    consumer = in_thread(lambda: got.extend(slot.value for slot in ring.take_many(4)))
    consumer.join(0.05)
    ring.discard(filling)
    consumer.join(5)
    assert got == [1]


def test_a_pulled_ring_gives_room_for_as_many_as_are_wanted() -> None:
    ring = make_ring(8, producers=3, prefetch=0)
    producers = [in_thread(lambda value=value: put(ring, value)) for value in range(3)]  # type: ignore[misc]
    time.sleep(0.02)
    taken: list[int] = []
    while len(taken) < 3:
        taken += [slot.value for slot in ring.take_many(3)]
    assert sorted(taken) == [0, 1, 2]
    for producer in producers:
        producer.join(5)


def test_producers_take_turns() -> None:
    """Who comes when others wait already goes behind them, though there is room again by then."""
    ring = make_ring(4, producers=3, prefetch=0)
    for value in range(2):
        in_thread(lambda value=value: put(ring, value))  # type: ignore[misc]
        while len(ring._queue) <= value:
            time.sleep(0.001)
    first = ring._queue[0]
    with ring._lock:  # as if a consumer waited, and the first in the queue weren't awake yet
        ring._waiting += 1
    newcomer = in_thread(lambda: put(ring, 2))
    while len(ring._queue) < 3:
        time.sleep(0.001)
    assert ring._queue[0] is first
    with ring._lock:
        ring._waiting -= 1
    assert [get(ring) for _ in range(3)] == [0, 1, 2]
    newcomer.join(5)


def test_closing_lets_consumers_finish_what_is_left() -> None:
    ring = make_ring(4)
    put(ring, 1)
    ring.close()
    assert get(ring) == 1
    with pytest.raises(RingClosed):
        ring.take()
    with pytest.raises(RingClosed):
        ring.wait()


def test_a_ring_with_several_producers_closes_with_the_last() -> None:
    ring = make_ring(4, producers=2)
    ring.close()
    assert ring.take(timeout_s=0.01) is None
    ring.close()
    with pytest.raises(RingClosed):
        ring.take()


@pytest.mark.parametrize("blocked", ["take", "take_many", "acquire", "wait"])
def test_abort_wakes_whoever_waits(blocked: str) -> None:
    ring = make_ring(1)
    if blocked == "acquire":
        put(ring, 0)
    ended = threading.Event()

    def work() -> None:
        with pytest.raises(RingClosed):
            getattr(ring, blocked)(*([2] if blocked == "take_many" else []))
        ended.set()

    in_thread(work)
    time.sleep(0.01)
    ring.abort()
    assert ended.wait(5)


def test_a_nudge_ends_a_wait_before_or_in_it_once_and_takes_no_slot_away() -> None:
    ring = make_ring(2)
    taken: list[Slot | None] = []
    waiting = threading.Thread(target=lambda: taken.append(ring.take(PATIENCE_S)))
    waiting.start()
    assert wait_until(lambda: ring._waiting == 1)
    ring.nudge()
    waiting.join(PATIENCE_S / 2)
    assert taken == [None]
    slot = ring.acquire()
    ring.commit(slot)
    ring.nudge()
    assert ring.take(PATIENCE_S) is slot, "what is there comes first"
    assert ring.take(PATIENCE_S) is None
    assert ring.take(0.001) is None, "by its own time"


def test_a_commit_after_abort_is_forgotten() -> None:
    ring = make_ring(2)
    slot = ring.acquire()
    ring.abort()
    ring.commit(slot)
    with pytest.raises(RingClosed):
        ring.take()


pauses = st.lists(st.sampled_from([0.0, 0.0, 0.0, 1e-5, 1e-3]), min_size=1, max_size=7)


def _produce(ring: Ring[Box], values: range, pause: list[float]) -> None:
    for value in values:
        put(ring, value)
        time.sleep(pause[value % len(pause)])
    ring.close()


def _consume(ring: Ring[Box], got: list[int], pause: list[float], most: int) -> None:
    while True:
        try:
            slots = ring.take_many(most) if most > 1 else [ring.take()]
        except RingClosed:
            return
        for slot in slots:
            assert slot is not None
            value = slot.value
            time.sleep(pause[value % len(pause)])
            assert slot.value == value, "a slot was filled while a consumer held it"
            got.append(value)
            ring.release(slot)


def _run(
    ring: Ring[Box], n: int, producers: list[list[float]], consumers: list[list[float]], most: int = 1
) -> list[list[int]]:
    """Real threads with these pauses; what each consumer got. `most`: how many slots one takes at a time."""
    share = n // len(producers)
    got: list[list[int]] = [[] for _ in consumers]
    threads = [
        in_thread(lambda i=i, p=p: _produce(ring, range(i * share, (i + 1) * share), p))  # type: ignore[misc]
        for i, p in enumerate(producers)
    ]
    threads += [
        in_thread(lambda g=g, p=p: _consume(ring, g, p, most))  # type: ignore[misc]
        for g, p in zip(got, consumers, strict=True)
    ]
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive(), "the ring hangs"
    return got


@settings(max_examples=25, deadline=None)
@given(
    producers=st.lists(pauses, min_size=1, max_size=3),
    consumers=st.lists(pauses, min_size=1, max_size=3),
    slots=st.integers(1, 6),
    prefetch=st.sampled_from([None, 0, 1]),
    most=st.integers(1, 4),
)
def test_lossless_delivers_everything_once_under_any_schedule(
    producers: list[list[float]], consumers: list[list[float]], slots: int, prefetch: int | None, most: int
) -> None:
    ring = make_ring(slots, producers=len(producers), prefetch=prefetch)
    share = 60 // len(producers)
    got = _run(ring, 60, producers, consumers, most)
    assert sorted(value for values in got for value in values) == list(range(share * len(producers)))
    for values in got:
        for producer in range(len(producers)):
            mine = [value for value in values if value // share == producer]
            assert mine == sorted(mine), "the order of one producer's items was lost"


@settings(max_examples=25, deadline=None)
@given(producer=pauses, consumers=st.lists(pauses, min_size=1, max_size=3))
def test_live_accounts_for_everything_under_any_schedule(
    producer: list[float], consumers: list[list[float]]
) -> None:
    overwritten: list[int] = []
    ring = make_ring(
        len(consumers) + 2, Policy.LIVE, on_overwrite=lambda slot: overwritten.append(slot.value)
    )
    got = _run(ring, 60, [producer], consumers)
    taken = [value for values in got for value in values]
    assert sorted(taken + overwritten) == list(range(60))
    assert 59 in taken, "the newest was lost"
    for values in got:
        assert values == sorted(values), "an older item came after a newer one"
