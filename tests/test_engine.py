"""Engine: real video through the real model, both policies, every way to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_engine.client import Subscriber
from edge_engine.config import Config, OutputsConfig, StreamConfig, ZeroMqConfig
from edge_engine.engine import Engine
from edge_engine.errors import ModelError, SourceError
from edge_engine.models.keypoints import COCO_KEYPOINTS
from edge_engine.models.model import InferenceError
from edge_engine.result import Result
from edge_engine.ring import RingClosed
from tests import clip
from tests.models import yolo_heads
from tests.rigs.peer import wait_until


def make_config(source: str = clip.URI, **changes: Any) -> Config:  # noqa: ANN401
    """One stream named `street`, as fast as possible and lossless unless said otherwise."""
    stream = {key: changes.pop(key) for key in ("pace", "loop", "max_age_ms") if key in changes}
    streams = {"street": StreamConfig(source=source, **({"pace": False, "max_age_ms": 600_000} | stream))}
    return Config(streams=streams, **({"policy": "lossless"} | changes))


def assert_balanced(engine: Engine) -> None:
    for record in engine.streams.values():
        counts = record.ledger.counts()
        assert counts.captured == counts.published + counts.in_flight + sum(counts.dropped.values())


def engine_threads() -> list[str]:
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if "/" in name or name.startswith(("infer", "postprocess", "publish"))]


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    assert engine_threads() == []


def run_to_end(config: Config) -> tuple[list[Result], Engine]:
    with Engine(config) as engine:
        results = list(engine.results())
        engine.wait()
    return results, engine


@pytest.mark.parametrize("hint", ["latency", "throughput"])
def test_lossless_publishes_exactly_the_clips_frames_in_order(hint: str) -> None:
    results, engine = run_to_end(make_config(hint=hint))
    assert [result.seq for result in results] == list(range(clip.FRAMES))
    stream = engine.summary().streams["street"]
    assert (stream.captured, stream.published, stream.in_flight) == (clip.FRAMES, clip.FRAMES, 0)
    assert stream.dropped == {}


def test_the_same_clip_gives_the_same_results_twice() -> None:
    first, _ = run_to_end(make_config(hint="throughput", workers=3, frames=100))
    second, _ = run_to_end(make_config(hint="latency", frames=100))
    assert len(first) == len(second) == 100
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.objects.boxes_xyxy, other.objects.boxes_xyxy)
        np.testing.assert_array_equal(one.objects.scores, other.objects.scores)
        np.testing.assert_array_equal(one.objects.class_ids, other.objects.class_ids)


def test_real_objects_are_recognised_in_the_street() -> None:
    results, _ = run_to_end(make_config())
    names = [set(result.names()) for result in results]
    # Measured: a person in 105 and a car in 107 of the 250 frames.
    assert sum("person" in seen for seen in names) >= 90
    assert sum("car" in seen for seen in names) >= 90
    for result in results:
        boxes = result.objects.boxes_xyxy
        assert (boxes >= 0).all()
        assert (boxes <= np.array(clip.SIZE * 2)).all()
        assert (boxes[:, :2] <= boxes[:, 2:]).all()


def test_live_drops_what_it_has_no_time_for_and_stays_fresh() -> None:
    config = make_config("test:640x480@500", policy="live", pace=True, frames=600, max_age_ms=1000)
    with Engine(config) as engine:
        results = list(engine.results())
        assert_balanced(engine)
    stream = engine.summary().streams["street"]
    assert stream.captured == 600
    assert set(stream.dropped) == {"overwritten"}
    assert stream.dropped["overwritten"] > 100
    # What waits for a worker is always the newest frame: a result is hardly older than the work in it.
    lags = [
        (result.published_ns - result.frame.captured_ns)
        / sum(result.frame.work_ns[stage] for stage in ("capture", "preprocess", "infer", "postprocess"))
        for result in results
    ]
    assert np.median(lags) < 2


def test_a_slow_reader_of_a_live_engine_gets_the_newest() -> None:
    config = make_config("test:320x240@200", policy="live", pace=True, frames=200, max_age_ms=5000)
    seqs = []
    with Engine(config) as engine:
        for result in engine.results():
            seqs.append(result.seq)
            time.sleep(0.1)
    assert seqs == sorted(set(seqs))
    published = engine.summary().streams["street"].published
    assert len(seqs) < published, "the reader should have missed results"
    assert seqs[-1] >= 190


def test_results_older_than_their_max_age_are_never_published() -> None:
    config = make_config("test:320x240@100", policy="live", pace=True, frames=30, max_age_ms=1)
    results, engine = run_to_end(config)
    assert results == []
    assert engine.summary().streams["street"].dropped["stale"] >= 1


def test_the_ledger_is_balanced_at_every_moment() -> None:
    with Engine(make_config("test:320x240@400", policy="live", pace=True), collect=False) as engine:
        deadline = time.monotonic() + 1
        while time.monotonic() < deadline:
            assert_balanced(engine)
    assert_balanced(engine)
    assert engine.summary().streams["street"].in_flight == 0


def test_several_streams_share_the_model_and_keep_their_own_books() -> None:
    streams = {
        "street": StreamConfig(source=clip.URI, pace=False, max_age_ms=600_000),
        "pattern": StreamConfig(source="test:320x240@30?frames=40", pace=False, max_age_ms=600_000),
    }
    config = Config(streams=streams, policy="lossless", hint="throughput", frames=60)
    results, _ = run_to_end(config)
    by_stream = {name: [r.seq for r in results if r.stream == name] for name in streams}
    assert by_stream == {"street": list(range(60)), "pattern": list(range(40))}
    assert {r.frame.size for r in results if r.stream == "pattern"} == {(320, 240)}


def test_a_batch_takes_several_streams_and_changes_no_result() -> None:
    streams = {name: StreamConfig(source=clip.URI, pace=False, max_age_ms=600_000) for name in "abc"}
    one_by_one, _ = run_to_end(make_config(frames=40))
    config = Config(streams=streams, policy="lossless", workers=2, batch=4, frames=40)
    results, engine = run_to_end(config)
    assert_balanced(engine)
    together: dict[int, set[str]] = {}
    for result in results:
        together.setdefault(result.frame.work_ns["infer"], set()).add(result.stream)
    assert max(map(len, together.values())) > 1, "no inference was shared between streams"
    for name in streams:
        mine = [result for result in results if result.stream == name]
        assert [result.seq for result in mine] == list(range(40))
        for result, alone in zip(mine, one_by_one, strict=True):
            np.testing.assert_array_equal(result.objects.class_ids, alone.objects.class_ids)
            np.testing.assert_allclose(result.objects.boxes_xyxy, alone.objects.boxes_xyxy, atol=1e-3)


def test_a_live_batch_takes_what_the_cameras_have_and_waits_for_none() -> None:
    """One camera gives a picture every 20 seconds: the others' results don't wait for it."""
    rates = {"fast": 40, "also-fast": 40, "slow": 0.05}
    streams = {
        name: StreamConfig(source=f"test:320x240@{fps}", max_age_ms=9000) for name, fps in rates.items()
    }
    with Engine(Config(streams=streams, batch=3)) as engine:
        counts = dict.fromkeys(streams, 0)
        for result in engine.results():
            counts[result.stream] += 1
            if min(counts["fast"], counts["also-fast"]) >= 10:
                break
        assert_balanced(engine)
    slow = engine.summary().streams["slow"].captured
    assert slow < 5, "each inference waited for the slow camera"


def test_a_subscriber_gets_the_keypoints_of_a_pose_and_their_names(tmp_path: Path) -> None:
    metadata = {"names": "{0: 'person'}", "task": "pose", "kpt_shape": "[17, 3]"}
    path = yolo_heads.graph(tmp_path / "pose.onnx", 1, 51, metadata, has_prototypes=False)
    endpoint = f"ipc://{tmp_path}/results"
    outputs = OutputsConfig(zeromq=ZeroMqConfig(endpoint=endpoint))
    config = make_config("test:320x240@30", pace=True, policy="live", model=str(path), outputs=outputs)
    with Subscriber(endpoint) as subscriber, Engine(config, collect=False):
        for result in subscriber.results(timeout_s=20):
            if result.objects and "street" in subscriber.described:
                break
        assert len(result.objects[0].keypoints) == 17
        assert subscriber.described["street"].keypoint_names == COCO_KEYPOINTS


def test_a_subscriber_is_told_which_classes_are_published_and_from_which_score_on(tmp_path: Path) -> None:
    endpoint = f"ipc://{tmp_path}/results"
    stream = StreamConfig(source="test:320x240@30", classes=("person", "bus"), label_thresholds={"bus": 0.7})
    outputs = OutputsConfig(zeromq=ZeroMqConfig(endpoint=endpoint))
    config = Config(streams={"a": stream}, score_threshold=0.4, outputs=outputs)
    with Subscriber(endpoint) as subscriber, Engine(config, collect=False):
        for _ in subscriber.results(timeout_s=20):
            if "a" in subscriber.described:
                break
        told = subscriber.described["a"]
    assert (told.classes, told.score_threshold, told.label_thresholds) == (
        ("person", "bus"),
        0.4,
        {"bus": 0.7},
    )


def test_pixels_are_kept_only_on_request() -> None:
    results, _ = run_to_end(make_config(frames=2))
    with pytest.raises(ValueError, match="let its pixels go"):
        results[0].frame.bgr()
    with Engine(make_config(frames=2), keep_pixels=True) as engine:
        kept = list(engine.results())
    assert kept[1].frame.bgr().shape == (272, 640, 3)


def test_a_missing_source_is_raised_where_the_user_waits() -> None:
    with Engine(make_config("no-such-file.mp4"), collect=False) as engine, pytest.raises(SourceError):
        engine.wait(10)
    with Engine(make_config("no-such-file.mp4")) as engine, pytest.raises(SourceError):
        list(engine.results())


def stop_and_time(engine: Engine) -> None:
    started = time.monotonic()
    engine.stop()
    # The promise itself, not a benchmark: a stop takes at most 2 s.
    assert time.monotonic() - started < 2
    assert engine_threads() == []
    assert_balanced(engine)
    assert all(record.ledger.counts().in_flight == 0 for record in engine.streams.values())
    engine.stop()


@pytest.mark.parametrize("policy", ["live", "lossless"])
@pytest.mark.parametrize("run_s", [0.0, 0.001, 0.02, 0.3])
def test_stop_while_running(policy: str, run_s: float) -> None:
    engine = Engine(make_config(policy=policy, loop=True), collect=False)
    engine.start()
    time.sleep(run_s)
    stop_and_time(engine)


def test_stop_before_start() -> None:
    stop_and_time(Engine(make_config()))


def test_stop_after_the_end() -> None:
    engine = Engine(make_config(frames=3), collect=False)
    engine.start()
    assert engine.wait(20)
    stop_and_time(engine)


def test_stop_after_a_failure() -> None:
    engine = Engine(make_config("no-such-file.mp4"), collect=False)
    engine.start()
    with pytest.raises(SourceError):
        engine.wait(10)
    stop_and_time(engine)


def test_stop_while_a_paced_source_waits_for_its_next_frame() -> None:
    engine = Engine(make_config("test:320x240@0.01", pace=True), collect=False)
    engine.start()
    time.sleep(0.2)
    stop_and_time(engine)


def test_stop_of_a_lossless_engine_whose_results_nobody_reads() -> None:
    engine = Engine(make_config(loop=True))
    engine.start()
    time.sleep(0.5)
    stop_and_time(engine)


def test_leaving_in_the_middle_of_the_results_stops_the_engine() -> None:
    with Engine(make_config(loop=True)) as engine:
        for result in engine.results():
            if result.seq == 5:
                break
    assert engine.summary().streams["street"].in_flight == 0


class Faults:
    """Stands between the engine and its real model: the inferences numbered in `failing` fail."""

    def __init__(self, engine: Engine, failing: range, monkeypatch: pytest.MonkeyPatch) -> None:
        self._run = engine.model.run
        self._failing = failing
        self._calls = 0
        monkeypatch.setattr(engine.model, "run", self._run_or_fail)

    def _run_or_fail(self, binding: Any, options: Any) -> None:  # noqa: ANN401
        self._calls += 1
        if self._calls - 1 in self._failing:
            raise InferenceError("the device fell out")
        self._run(binding, options)


def test_a_failed_inference_costs_its_frame_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(make_config(frames=8, workers=1))  # of several, one may be ahead of another
    Faults(engine, range(2, 5), monkeypatch)
    with engine:
        assert [result.seq for result in engine.results()] == [0, 1, 5, 6, 7]
    stream = engine.summary().streams["street"]
    assert stream.dropped == {"error": 3}
    assert stream.reasons == {"error": "the device fell out"}


def test_ten_failed_inferences_in_a_row_end_the_engine_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(make_config(loop=True), collect=False)
    Faults(engine, range(3, 1000), monkeypatch)
    with engine, pytest.raises(ModelError, match="10 inferences in a row failed; the last: the device fell"):
        engine.wait(20)
    assert_balanced(engine)


@pytest.mark.parametrize("stage", ["preprocess", "infer", "postprocess", "publish"])
def test_a_stage_that_hangs_stops_the_heartbeat_but_not_the_stop(
    stage: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    outputs = OutputsConfig(zeromq=ZeroMqConfig(endpoint=f"ipc://{tmp_path}/results"))
    config = make_config("test:320x240@50", policy="live", pace=True, trim=False, outputs=outputs)
    engine = Engine(config, collect=False)
    hung, leave = threading.Event(), threading.Event()

    def hang() -> None:
        hung.set()
        leave.wait(60)
        raise RingClosed

    with Subscriber(f"ipc://{tmp_path}/results") as subscriber:
        engine.start()
        assert next(subscriber.results(timeout_s=20))
        beats = heartbeats_within(subscriber, 1.2)
        assert beats >= 2, "two a second while the stages move"
        for each in engine.stages:
            if stage in each.name:
                monkeypatch.setattr(each, "step", hang)
        assert hung.wait(10)
        assert wait_until(lambda: heartbeats_within(subscriber, 1.5) == 0)
    engine.stop()
    assert_balanced(engine)
    leave.set()
    wait_for_no_threads()


def test_one_of_two_workers_that_hangs_stops_the_heartbeat_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    outputs = OutputsConfig(zeromq=ZeroMqConfig(endpoint=f"ipc://{tmp_path}/results"))
    config = make_config(
        "test:320x240@50", policy="live", pace=True, trim=False, outputs=outputs, workers=2, threads=1
    )
    engine = Engine(config, collect=False)
    hung, leave, run = threading.Event(), threading.Event(), engine.model.run

    def hang_once(*arguments: Any) -> Any:  # noqa: ANN401
        if hung.is_set():
            return run(*arguments)
        hung.set()
        return leave.wait(60)

    with Subscriber(f"ipc://{tmp_path}/results") as subscriber:
        engine.start()
        assert next(subscriber.results(timeout_s=20))
        monkeypatch.setattr(engine.model, "run", hang_once)
        assert hung.wait(10)
        assert wait_until(lambda: heartbeats_within(subscriber, 1.5) == 0)
        assert next(subscriber.results(timeout_s=20)), "the other one goes on"
    leave.set()
    engine.stop()
    assert_balanced(engine)


def heartbeats_within(subscriber: Subscriber, seconds: float) -> int:
    beats: set[int] = set()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        subscriber.latest()
        beats.update(health.published_ns for health in subscriber.health.values())
        time.sleep(0.01)
    return len(beats) - 1


def wait_for_no_threads() -> None:
    deadline = time.monotonic() + 10
    while engine_threads() and time.monotonic() < deadline:
        time.sleep(0.01)


def test_an_endpoint_is_free_again_as_soon_as_the_engine_has_stopped() -> None:
    outputs = OutputsConfig(zeromq=ZeroMqConfig(endpoint="tcp://127.0.0.1:5617"))
    for _ in range(3):
        with Engine(make_config(frames=1, outputs=outputs), collect=False) as engine:
            engine.wait(20)
