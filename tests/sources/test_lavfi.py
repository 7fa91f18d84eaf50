"""FFmpeg's test sources, and what the engine makes of a camera that shows nothing new."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from edge_engine.client import Subscriber
from edge_engine.config import Config, OutputsConfig, StreamConfig, ZeroMqConfig
from edge_engine.engine import Engine
from edge_engine.errors import SourceError
from edge_engine.sources import make_source
from tests.rigs.peer import wait_until
from tests.sources.made import opened, read_all

NOISE = "noise=alls=20:allf=t"


def test_a_graph_gives_its_pictures_and_ends() -> None:
    source = opened("lavfi:testsrc2=size=64x48:rate=25:duration=1")
    assert source.description == "lavfi:testsrc2=size=64x48:rate=25:duration=1: 64x48 at 25 fps"
    grabs = read_all(source)
    assert len(grabs) == 25
    assert {grab.pixels.size for grab in grabs} == {(64, 48)}
    assert all(one.captured_ns < other.captured_ns for one, other in itertools.pairwise(grabs))
    assert len({grab.pixels.bgr().tobytes() for grab in grabs}) > 20
    source.close()


def test_colours_are_those_of_the_graph() -> None:
    (first, *_) = read_all(opened("lavfi:color=color=red:size=64x48:rate=5:duration=1"))
    np.testing.assert_allclose(first.pixels.bgr().mean(axis=(0, 1)), (0, 0, 255), atol=4)


def test_what_is_no_graph_is_one_line() -> None:
    for text in ("lavfi:nosuchsource=size=1x1", "lavfi:testsrc2=size=wide"):
        with pytest.raises(SourceError, match=r"lavfi:.*: can't be opened: ") as caught:
            make_source(text, pace=True, loop=False).open()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("graph", "reason"),
    [
        (f"testsrc2=size=320x240:rate=25,{NOISE},realtime", ""),
        ("color=color=gray:size=320x240:rate=25,realtime", "the same picture for "),
        (f"color=color=black:size=320x240:rate=25,{NOISE.replace('20', '4')},realtime", "black for "),
    ],
)
def test_a_client_does_not_act_on_a_camera_that_shows_nothing_new(
    graph: str, reason: str, tmp_path: Path
) -> None:
    endpoint = f"ipc://{tmp_path}/results"
    stream = StreamConfig(source=f"lavfi:{graph}", still_after_ms=300, max_age_ms=5000)
    outputs = OutputsConfig(zeromq=ZeroMqConfig(endpoint=endpoint))
    with Subscriber(endpoint) as subscriber, Engine(Config(streams={"a": stream}, outputs=outputs)) as engine:
        results = engine.results()
        for _ in range(15):
            result = next(results)
        assert result.frame.doubt.startswith(reason)
        assert bool(result.frame.doubt) == bool(reason)
        if reason:
            assert wait_until(lambda: subscriber.latest() is None and subscriber.stats.received > 0)
        else:
            assert wait_until(lambda: subscriber.latest() is not None)
