"""Subscriber.status: what is wrong with a stream, in words, from real messages on a real socket."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_engine.client import Subscriber
from edge_engine.client.status import Rate
from edge_engine.clock import NS_PER_MS, NS_PER_S, monotonic_ns
from edge_engine.wire import Counters, DescribeMessage, HealthMessage
from tests.client.publisher import Publisher, flush, make_result


def beat(ago_ms: int = 0, **changes: object) -> HealthMessage:
    published_ns = monotonic_ns() - ago_ms * NS_PER_MS
    health = HealthMessage(
        stream="front", session="a", published_ns=published_ns, counters=Counters(9, 9, 0, {})
    )
    return msgspec.structs.replace(health, **changes)


def test_a_stream_that_is_well_is_true(publisher: Publisher, subscriber: Subscriber) -> None:
    publisher.send(make_result(), beat())
    flush(publisher, subscriber)
    status = subscriber.status("front")
    assert status
    assert (status.alive, status.fresh, status.rate_ok, status.valid) == (True, True, True, True)
    assert status.reason == ""
    assert status.age_ms is not None


def test_before_anything_came_nothing_holds(subscriber: Subscriber) -> None:
    status = subscriber.status("front")
    assert (status.alive, status.fresh, status.valid) == (False, False, False)
    assert status.reason.startswith("no heartbeat of stream front from tcp://127.0.0.1:")


def test_a_heartbeat_that_is_old_when_it_is_read_is_none(
    publisher: Publisher, subscriber: Subscriber
) -> None:
    publisher.send(make_result(), beat(ago_ms=1_300))
    flush(publisher, subscriber)
    status = subscriber.status("front")
    assert (status.alive, status.fresh) == (False, True)
    assert "no heartbeat for 1" in status.reason


def test_a_result_that_has_expired_is_not_fresh(publisher: Publisher, subscriber: Subscriber) -> None:
    now_ns = monotonic_ns()
    old = make_result(captured_ns=now_ns - 90 * NS_PER_MS, valid_until_ns=now_ns - 1)
    publisher.send(old, beat())
    flush(publisher, subscriber)
    status = subscriber.status("front")
    assert (status.alive, status.fresh, status.valid) == (True, False, True)
    assert status.reason.startswith("the newest result is ")


@pytest.mark.parametrize(
    ("result", "health", "reason"),
    [
        ({"valid": False, "reason": "black for 1.2 s"}, {}, "black for 1.2 s"),
        ({}, {"state": "stalled", "reason": "no picture for 180 ms"}, "stalled: no picture for 180 ms"),
        ({}, {"state": "reconnecting", "reason": "gone"}, "reconnecting: gone"),
    ],
)
def test_a_camera_that_is_not_well_is_not_valid_and_says_why(
    publisher: Publisher,
    subscriber: Subscriber,
    result: dict[str, object],
    health: dict[str, object],
    reason: str,
) -> None:
    publisher.send(make_result(**result), beat(**health))
    flush(publisher, subscriber)
    status = subscriber.status("front")
    assert (status.alive, status.fresh, status.valid) == (True, True, False)
    assert status.reason == reason


def test_results_that_come_too_seldom_are_told(publisher: Publisher, subscriber: Subscriber) -> None:
    described = DescribeMessage(
        stream="front", session="a", model="m", task="detect", labels=(), max_age_ms=500, min_fps=10
    )
    now_ns = monotonic_ns()
    slow = [make_result(n, published_ns=now_ns - (4 - n) * 500 * NS_PER_MS) for n in range(1, 5)]
    publisher.send(described, *slow, beat())
    flush(publisher, subscriber)
    status = subscriber.status("front")
    assert (status.fresh, status.rate_ok) == (True, False)
    assert status.reason.endswith(" results a second of at least 10")
    assert subscriber.status("front", min_fps=1).rate_ok


def test_an_unknown_clock_makes_nothing_fresh(publisher: Publisher, subscriber: Subscriber) -> None:
    publisher.send(make_result(clock="another"), beat(clock="another"))
    flush(publisher, subscriber)
    assert subscriber.latest() is None
    status = subscriber.status("front")
    assert (status.alive, status.fresh) == (False, False)
    assert status.reason == "the publisher's clock is not known yet"


def test_of_several_streams_one_must_be_named(publisher: Publisher, subscriber: Subscriber) -> None:
    publisher.send(make_result(), beat(), make_result(stream="rear"), beat(stream="rear"))
    flush(publisher, subscriber)
    status = subscriber.status()
    assert not status
    assert status.reason == "which stream? there is: front, rear"
    assert subscriber.status("rear")


@given(st.integers(1, 200), st.integers(2, 300), st.integers(1, 50))
def test_the_rate_counts_what_was_published_however_seldom_one_looks(fps: int, n: int, every: int) -> None:
    rate, period_ns = Rate(), NS_PER_S // fps
    for number in range(0, n, every):
        rate.note(number, number * period_ns)
    last = (n - 1) // every * every
    if last * period_ns >= NS_PER_S and every * period_ns <= NS_PER_S:
        assert rate.fps(last * period_ns) == pytest.approx(fps, rel=0.01)
    assert rate.fps(last * period_ns + 3 * NS_PER_S) == 0
