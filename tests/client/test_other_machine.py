"""A publisher whose clocks aren't ours, in another process: ages are right all the same."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from edge_engine.client import Subscriber
from tests.rigs.peer import Peer, wait_until


@pytest.fixture(params=["86400", "-5"])
def engine(request: pytest.FixtureRequest) -> Iterator[Peer]:
    with Peer("other_machine", f"--ahead-s={request.param}", "--wall-ahead-s=-3600") as peer:
        yield peer


def test_ages_are_right_whatever_the_other_machines_clocks_say(engine: Peer) -> None:
    with Subscriber(f"tcp://127.0.0.1:{engine.port}") as subscriber:
        assert wait_until(lambda: subscriber.status("a"))
        result = subscriber.latest()
        assert result is not None
        age_ms = subscriber.age_ms(result)
        assert age_ms is not None
        assert 0 < age_ms < 500
        assert subscriber.latest(max_age_ms=0.001) is None


def test_nothing_is_fresh_before_the_clocks_have_been_compared(engine: Peer) -> None:
    with Subscriber(f"tcp://127.0.0.1:{engine.port}") as subscriber:
        result = next(subscriber.results(timeout_s=30))
        subscriber.described.clear()
        subscriber._clocks.end_sync()
        assert not subscriber.is_fresh(result)
        assert subscriber.age_ms(result) is None


def test_a_silent_camera_and_a_stopped_engine_are_told_apart(engine: Peer) -> None:
    with Subscriber(f"tcp://127.0.0.1:{engine.port}") as subscriber:
        assert wait_until(lambda: subscriber.status("a"))
        engine.say("hold")
        assert wait_until(lambda: not subscriber.status("a"))
        assert wait_until(lambda: not subscriber.status("a").fresh and subscriber.status("a").alive)
        assert subscriber.latest() is None
        engine.say("go")
        assert wait_until(lambda: subscriber.status("a"))
        engine.signal(signal.SIGSTOP)
        assert wait_until(lambda: not subscriber.status("a").alive)
        status = subscriber.status("a")
        assert "no heartbeat for" in status.reason
        assert not status.fresh
        engine.signal(signal.SIGCONT)
        assert wait_until(lambda: subscriber.status("a"))


def test_an_engine_that_was_killed_and_started_anew_is_another_session() -> None:
    with Peer("other_machine") as engine, Subscriber(f"tcp://127.0.0.1:{engine.port}") as subscriber:
        assert wait_until(lambda: subscriber.status("a"))
        before = subscriber.session
        engine.kill()
        assert wait_until(lambda: not subscriber.status("a"))
        engine.start()
        assert wait_until(lambda: subscriber.status("a"))
        assert subscriber.session != before
        assert subscriber.stats.restarts == 1
