"""Leisure: who is kept busy takes no more than its share."""

from __future__ import annotations

import threading
import time

from edge_engine.control.leisure import Leisure


def test_a_thread_that_is_kept_busy_rests_most_of_the_time() -> None:
    leisure, never = Leisure(0.1), threading.Event()
    began_s, worked_ns = time.monotonic(), time.thread_time_ns()
    while time.monotonic() < began_s + 1:
        sum(range(1000))
        leisure.take(never)
    assert time.thread_time_ns() - worked_ns < 0.2 * 1e9 * (time.monotonic() - began_s)


def test_a_rest_ends_when_it_is_interrupted() -> None:
    leisure, ended = Leisure(1e-6), threading.Event()
    ended.set()
    sum(range(100_000))
    leisure.take(ended)
