"""Events: what happens in zones and at lines reaches a client in order and once; it knows what it missed."""

from __future__ import annotations

from edge_engine.client import Subscriber
from edge_engine.wire import EventMessage, EventRow
from tests.client.publisher import Publisher, flush, make_result


def event(number: int) -> EventRow:
    return EventRow(number, "entered", "door", 7, "person", 0.9, (1, 2, 3, 4), 5, 6, 0, 200.0)


def message(*numbers: int, session: str = "a") -> EventMessage:
    events = [event(number) for number in numbers]
    return EventMessage(stream="front", session=session, published_ns=1, events=events)


def numbers(subscriber: Subscriber) -> list[int]:
    return [event.number for _, event in subscriber.events()]


def test_events_come_once_each_and_what_is_missing_is_counted(
    publisher: Publisher, subscriber: Subscriber
) -> None:
    publisher.send(message(1, 2), message(3), message(3), message(6, 7))
    flush(publisher, subscriber)
    assert numbers(subscriber) == [1, 2, 3, 6, 7]
    assert numbers(subscriber) == []
    assert (subscriber.stats.missed_events, subscriber.stats.repeated) == (2, 1)


def test_events_beside_results_take_no_result_away(publisher: Publisher, subscriber: Subscriber) -> None:
    results = subscriber.results(timeout_s=60)
    publisher.send(*(each for n in range(1, 7) for each in (make_result(n), message(n))))
    seen, happened = [], []
    for result in results:
        seen.append(result.seq)
        happened += numbers(subscriber)
        if result.seq == 6:
            break
    results.close()  # type: ignore[attr-defined]
    flush(publisher, subscriber)
    assert seen == [1, 2, 3, 4, 5, 6]
    assert happened + numbers(subscriber) == [1, 2, 3, 4, 5, 6]


def test_a_client_that_takes_none_keeps_the_newest_and_counts_the_others_as_missed(
    publisher: Publisher, subscriber: Subscriber
) -> None:
    publisher.send(message(*range(1, 1031)))
    flush(publisher, subscriber)
    assert numbers(subscriber) == list(range(7, 1031))
    assert subscriber.stats.missed_events == 6


def test_numbers_begin_anew_with_another_session(publisher: Publisher, subscriber: Subscriber) -> None:
    publisher.send(message(1), message(3), message(1, session="b"), message(2, session="b"))
    flush(publisher, subscriber, session="b")
    assert numbers(subscriber) == [1, 3, 1, 2]
    assert (subscriber.stats.missed_events, subscriber.stats.restarts) == (1, 1)
