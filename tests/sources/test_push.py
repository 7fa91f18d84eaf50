"""Pictures pushed by the embedding program, through the whole engine."""

from __future__ import annotations

import threading

import cv2
import numpy as np
import pytest

from edge_engine.clock import monotonic_ns
from edge_engine.config import Config, StreamConfig
from edge_engine.engine import Engine
from edge_engine.pixels import Image
from edge_engine.sources.push import PushSource
from edge_engine.sources.uri import parse_uri


def config(policy: str = "lossless") -> Config:
    stream = StreamConfig(source="push:", max_age_ms=600_000)
    return Config(streams={"arm": stream}, policy=policy)  # type: ignore[arg-type]


def numbered(number: int) -> Image:
    return np.full((48, 64, 3), number, np.uint8)


def test_every_pushed_picture_is_recognised_in_its_order_and_may_be_painted_over_at_once() -> None:
    with Engine(config(), keep_pixels=True) as engine:

        def push() -> None:
            image = numbered(0)
            for number in range(40):
                image[:] = number
                engine.push("arm", image, captured_ns=1_000_000 + number)
            engine.push("arm", None)

        threading.Thread(target=push, daemon=True).start()
        seen = [(int(r.frame.bgr()[0, 0, 0]), r.frame.captured_ns) for r in engine.results()]
    assert seen == [(number, 1_000_000 + number) for number in range(40)]
    assert engine.summary().streams["arm"].state == "ended"


def test_a_live_engine_never_lets_the_program_wait() -> None:
    with Engine(config("live"), collect=False) as engine:
        for number in range(500):
            engine.push("arm", numbered(number % 256))
        engine.push("arm", None)
        assert engine.wait(60)
    stream = engine.summary().streams["arm"]
    assert stream.captured + stream.missed == 500
    assert stream.captured == stream.published + sum(stream.dropped.values())


def test_a_jpeg_is_pushed_as_it_is_and_a_cut_one_is_counted() -> None:
    data = bytes(cv2.imencode(".jpg", numbered(90))[1])
    before_ns = monotonic_ns()
    with Engine(config()) as engine:
        engine.push("arm", data)
        engine.push("arm", data[: len(data) // 2])
        engine.push("arm", data)
        engine.push("arm", None)
        results = list(engine.results())
    assert [result.frame.size for result in results] == [(64, 48)] * 2
    assert all(result.frame.captured_ns >= before_ns for result in results)
    assert engine.summary().streams["arm"].dropped == {"corrupt": 1}


def test_what_can_not_be_pushed_is_told_to_who_pushes_it() -> None:
    with Engine(config(), collect=False) as engine:
        for wrong in (
            np.zeros((48, 64), np.uint8),
            np.zeros((48, 64, 3), np.float32),
            np.zeros((0, 64, 3), np.uint8),
        ):
            with pytest.raises(ValueError, match="expected a uint8 picture"):
                engine.push("arm", wrong)
        with pytest.raises(
            ValueError, match="stream 'leg' has no source push:; those that have: \\['arm'\\]"
        ):
            engine.push("leg", numbered(0))


def test_a_program_that_waits_for_room_is_let_go_when_the_engine_stops() -> None:
    with Engine(config(), collect=True) as engine:
        pushing = threading.Thread(
            target=lambda: [engine.push("arm", numbered(0)) for _ in range(1000)], daemon=True
        )
        pushing.start()
    pushing.join(30)
    assert not pushing.is_alive()


def test_what_is_no_picture_takes_no_others_place() -> None:
    source = PushSource(parse_uri("push:"), pace=False, loop=False)
    for number in range(4):
        source.push(numbered(number), None, waits=False)
    with pytest.raises(ValueError, match="expected a uint8 picture"):
        source.push(np.zeros((4, 4), np.uint8), None, waits=False)
    assert source.missed == 0
    first = source.read()
    assert first is not None
    assert int(first.pixels.bgr()[0, 0, 0]) == 0
