"""A network camera through the whole engine, as a client and a person at the command line see it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_engine.client import Subscriber
from edge_engine.config import Config, OutputsConfig, StreamConfig, ZeroMqConfig
from edge_engine.engine import Engine
from edge_engine.sources.test_pattern import read_counter
from tests.rigs.peer import PATIENCE_S, Peer, wait_until
from tests.sources.program import STATES, program_while


@pytest.fixture
def camera() -> Iterator[Peer]:
    with Peer("rtsp_server") as peer:
        yield peer


def uri(camera: Peer) -> str:
    return f"rtsp://127.0.0.1:{camera.port}/cam"


def engine_config(camera: Peer, **changes: object) -> Config:
    stream = StreamConfig(source=uri(camera), open_deadline_ms=30_000, **changes)  # type: ignore[arg-type]
    return Config(streams={"a": stream})


def test_no_old_picture_is_published_as_fresh_after_a_stall(camera: Peer) -> None:
    config = engine_config(camera, frame_deadline_ms=60_000, max_age_ms=400)
    true_ages_ms: list[int] = []
    with Engine(config, keep_pixels=True) as engine:
        for number, result in enumerate(engine.results()):
            taken_ms = read_counter(result.frame.bgr())
            true_ages_ms.append(result.published_ns // 1_000_000 - taken_ms)
            if number == 10:
                camera.say("hold")
                threading.Timer(2.0, camera.say, ["burst"]).start()
            if number == 40:
                break
        counts = engine.summary().streams["a"]
    assert max(true_ages_ms) < 400 + 200
    assert counts.state == "running"


def test_no_box_lies_outside_the_picture_that_it_names(camera: Peer) -> None:
    sizes = set()
    with Engine(engine_config(camera)) as engine:
        for number, result in enumerate(engine.results()):
            sizes.add(result.frame.size)
            boxes = result.objects.boxes_xyxy
            assert (boxes >= 0).all()
            assert (boxes <= (*result.frame.size, *result.frame.size)).all()
            if number % 10 == 0:
                camera.say("res")
            if number == 60:
                break
    assert sizes == {(640, 480), (320, 240)}


def test_a_client_sees_the_state_and_nothing_stale(camera: Peer, tmp_path: Path) -> None:
    endpoint = f"ipc://{tmp_path}/results"
    config = engine_config(camera)
    outputs = OutputsConfig(zeromq=ZeroMqConfig(endpoint=endpoint))
    config = Config(streams=config.streams, outputs=outputs)
    with Subscriber(endpoint) as subscriber, Engine(config, collect=False):

        def state() -> str:
            subscriber.latest()
            return subscriber.health["a"].state if "a" in subscriber.health else ""

        assert wait_until(lambda: subscriber.latest() is not None)
        assert wait_until(lambda: state() == "running" and subscriber.stats.received > 10)
        camera.say("freeze")
        assert wait_until(lambda: subscriber.latest() is None)
        assert wait_until(lambda: state() == "reconnecting")
        camera.say("resume")
        assert wait_until(lambda: subscriber.latest() is not None)
        assert wait_until(lambda: state() == "running")
        assert subscriber.health["a"].reconnects == 1


def test_a_camera_whose_pictures_can_not_be_decoded_is_told_of_and_opened_anew(tmp_path: Path) -> None:
    """Each of them is a JPEG from its header to its end, so that only the decoder finds out."""
    endpoint = f"ipc://{tmp_path}/results"
    outputs = OutputsConfig(zeromq=ZeroMqConfig(endpoint=endpoint))
    with Peer("mjpeg_server") as camera, Subscriber(endpoint) as subscriber:
        stream = StreamConfig(source=f"http://127.0.0.1:{camera.port}/cam", open_deadline_ms=2000)
        with Engine(Config(streams={"a": stream}, outputs=outputs), collect=False):

            def is_told(state: str, reason: str, reconnects: int) -> bool:
                subscriber.latest()
                health = subscriber.health.get("a")
                known = (health.state, health.reconnects) if health else None
                return known == (state, reconnects) and health is not None and reason in health.reason

            assert wait_until(lambda: is_told("running", "", 0))
            camera.say("hollow")
            assert wait_until(lambda: is_told("stalled", "only damaged pictures for", 0))
            assert wait_until(lambda: camera.ask("count") == "2")
            assert wait_until(lambda: is_told("stalled", "only damaged pictures for", 1))
            camera.say("whole")
            assert wait_until(lambda: is_told("running", "", 1))
            assert wait_until(lambda: subscriber.latest() is not None)
            assert subscriber.health["a"].counters.dropped["corrupt"] > 0


@pytest.mark.parametrize("state", STATES)
def test_a_signal_ends_the_program_in_every_state(state: str) -> None:
    with program_while(state) as program:
        assert program.stdout is not None
        program.terminate()
        rest = program.stdout.read()
        assert program.wait(PATIENCE_S) == 0, rest
        assert "captured" in rest
