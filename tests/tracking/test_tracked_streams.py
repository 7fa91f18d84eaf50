"""Tracked streams: real video through the real model, to a subscriber, with ids."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_engine.client import Subscriber
from edge_engine.config import Config, OutputsConfig, StreamConfig, TrackingConfig, ZeroMqConfig, parse_config
from edge_engine.engine import Engine
from edge_engine.errors import ConfigError
from edge_engine.result import Result, TrackState
from edge_engine.wire import ResultMessage
from tests import clip
from tests.cli.program import run_program, start_program

FRAMES = 60


def config_of(**changes: Any) -> Config:  # noqa: ANN401
    stream = StreamConfig(source=clip.URI, pace=False, max_age_ms=600_000)
    given = {"streams": {"street": stream}, "policy": "lossless", "frames": FRAMES} | changes
    return Config(**given)


def results_of(config: Config) -> list[Result]:
    with Engine(config) as engine:
        return list(engine.results())


def received(config: Config, endpoint: str) -> list[ResultMessage]:
    """What a subscriber gets of the last frames: by then it is connected."""
    outputs = OutputsConfig(zeromq=ZeroMqConfig(endpoint=endpoint))
    stream = StreamConfig(source=clip.URI, loop=True, max_age_ms=600_000)
    looped = Config(
        streams={"street": stream},
        outputs=outputs,
        tracking=config.tracking,
        model=config.model,
    )
    with Subscriber(endpoint) as subscriber, Engine(looped, collect=False):
        messages = []
        for result in subscriber.results(timeout_s=60):
            messages.append(result)
            if len(messages) == 30:
                return messages
    return messages


@pytest.fixture(scope="module")
def tracked() -> list[Result]:
    return results_of(config_of(tracking=TrackingConfig()))


def test_people_keep_their_ids_over_the_clip(tracked: list[Result]) -> None:
    known: list[int] = []
    for result in tracked:
        tracking = result.objects.tracking
        assert tracking is not None
        of_frame = tracking.ids.tolist()
        assert len(set(of_frame)) == len(of_frame)
        assert min(of_frame, default=1) >= 1
        assert not (tracking.states == TrackState.LOST).any()
        known += tracking.ids[tracking.states == TrackState.CONFIRMED].tolist()
    is_long = [known.count(i) >= 8 for i in known]
    assert sum(is_long) >= len(known) / 2 > 10


def test_several_workers_give_the_same_tracks_as_one(tracked: list[Result]) -> None:
    three = results_of(config_of(tracking=TrackingConfig(), workers=3))
    for a, b in zip(tracked, three, strict=True):
        assert a.objects.tracking is not None
        assert b.objects.tracking is not None
        assert a.objects.tracking.ids.tolist() == b.objects.tracking.ids.tolist()


def test_a_subscriber_gets_ids_states_and_velocities(tmp_path: Path) -> None:
    messages = received(config_of(tracking=TrackingConfig()), f"ipc://{tmp_path}/results")
    rows = [row for message in messages for row in message.objects]
    assert rows
    for row in rows:
        assert row.track_id is not None
        assert row.track_id >= 1
        assert row.track_state in {"new", "confirmed"}
        assert row.velocity is not None
        assert row.velocity_covariance is not None
        assert np.all(np.linalg.eigvalsh(row.velocity_covariance) > 0)
    assert any(row.track_state == "confirmed" for row in rows)


def test_nothing_of_tracking_is_sent_where_it_is_off(tmp_path: Path) -> None:
    for row in (row for m in received(config_of(), f"ipc://{tmp_path}/results") for row in m.objects):
        assert (row.track_id, row.track_state, row.velocity, row.velocity_covariance) == (None,) * 4


def test_tracking_loses_no_object_that_is_found_without_it(tracked: list[Result]) -> None:
    for plain, known in zip(results_of(config_of(frames=20)), tracked, strict=False):
        boxes = known.objects.boxes_xyxy.tolist()
        assert all(box in boxes for box in plain.objects.boxes_xyxy.tolist())


@pytest.mark.parametrize(
    ("of_all", "of_yes", "of_no"),
    [
        pytest.param(None, TrackingConfig(), None, id="asked for"),
        pytest.param(TrackingConfig(), None, TrackingConfig(enabled=False), id="switched off"),
    ],
)
def test_one_stream_of_two_is_tracked(
    of_all: TrackingConfig | None, of_yes: TrackingConfig | None, of_no: TrackingConfig | None
) -> None:
    streams = {
        name: StreamConfig(source=clip.URI, pace=False, max_age_ms=600_000, tracking=tracking)
        for name, tracking in (("yes", of_yes), ("no", of_no))
    }
    for result in results_of(config_of(streams=streams, tracking=of_all, frames=10)):
        assert (result.objects.tracking is not None) == (result.stream == "yes")


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("{match_tresh: 0.5}", "match_tresh"),
        ("{match_thresh: 1.5}", "match_thresh"),
        ("{confirm_after: 0}", "confirm_after"),
        ("{max_lost_ms: -1}", "max_lost_ms"),
        ("{recovery: perhaps}", "recovery"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it(said: str, line: str) -> None:
    with pytest.raises(ConfigError, match=line) as caught:
        parse_config(f"streams: {{a: {{source: a.mp4, tracking: {said}}}}}", "x.yaml")
    assert "\n" not in str(caught.value)


def test_a_model_that_finds_no_objects_cannot_be_tracked() -> None:
    with pytest.raises(ConfigError, match="its task is classification; expected a model that finds objects"):
        Engine(config_of(tracking=TrackingConfig(), model="efficientnet-lite0"))


def test_run_tracks_and_listen_shows_the_ids(tmp_path: Path) -> None:
    endpoint = f"ipc://{tmp_path}/results"
    engine = start_program("run", clip.URI, "--track", "--loop", "--publish", endpoint, "--seconds", "60")
    done = run_program("listen", endpoint, "--count", "30", "--timeout", "60")
    engine.terminate()
    engine.communicate(timeout=20)
    assert any(" #1" in line.partition("  ")[2] or " new" in line for line in done.stdout.splitlines())
