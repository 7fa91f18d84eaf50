"""Commands: each one's effect, as a subscriber of another process sees it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator

import av
import cv2
import numpy as np
import pytest

from edge_engine import Controller, Subscriber
from edge_engine.errors import ConfigError, RefusedError, SourceError
from edge_engine.wire import DescribeMessage, GetStatistics, HealthMessage, ResultMessage
from tests import clip
from tests.control.running import MODEL, STANDBY, RunningEngine, comes, is_known
from tests.control.session import Session
from tests.rigs.peer import wait_until


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEngine]:
    with RunningEngine(tmp_path_factory.mktemp("controlled")) as engine:
        yield engine


@pytest.fixture
def controller(engine: RunningEngine) -> Iterator[Controller]:
    controller = engine.controller()
    yield controller
    controller.resume("front")
    controller.set_classes("front", [])
    controller.use_model(MODEL)
    controller.set_thresholds("front", 0.4)


@pytest.fixture
def subscriber(engine: RunningEngine) -> Iterator[Subscriber]:
    with engine.subscriber() as subscriber:
        assert comes(subscriber)
        assert is_known(subscriber)
        yield subscriber


def health(subscriber: Subscriber) -> HealthMessage:
    subscriber.latest()
    return subscriber.health["front"]


def tells(subscriber: Subscriber, so: Callable[[DescribeMessage], bool]) -> bool:
    """Whether it is described so, in time."""

    def is_so() -> bool:
        subscriber.latest()
        return so(subscriber.described["front"])

    return wait_until(is_so)


def next_results(subscriber: Subscriber, count: int) -> list[ResultMessage]:
    results = subscriber.results(timeout_s=30)
    return [next(results) for _ in range(count)]


def test_a_paused_stream_says_so_and_its_camera_is_read_on(
    controller: Controller, subscriber: Subscriber
) -> None:
    controller.pause("front")
    assert wait_until(lambda: health(subscriber).paused and health(subscriber).counters.in_flight == 0)
    status = subscriber.status("front")
    assert (status.valid, status.reason) == (False, "paused")
    before = health(subscriber).counters
    assert wait_until(lambda: health(subscriber).counters.captured > before.captured + 10)
    now = health(subscriber).counters
    assert now.published == before.published
    grown = {cause: count - before.dropped.get(cause, 0) for cause, count in now.dropped.items()}
    assert grown.pop("paused") == now.captured - before.captured
    assert not any(grown.values())
    assert controller.statistics().streams["front"].paused


def test_a_stream_that_goes_on_is_fresh_at_once(controller: Controller, subscriber: Subscriber) -> None:
    controller.pause("front")
    assert wait_until(lambda: health(subscriber).paused and health(subscriber).counters.in_flight == 0)
    last = health(subscriber).counters.published
    controller.resume("front")
    first = next(r for r in subscriber.results(timeout_s=30) if r.counters.published > last)
    assert first.counters.published == last + 1
    assert wait_until(lambda: subscriber.status("front"))
    assert not controller.statistics().streams["front"].paused


def test_thresholds_hold_from_the_answer_on(controller: Controller, subscriber: Subscriber) -> None:
    controller.set_thresholds("front", 0.05)
    assert tells(subscriber, lambda told: told.score_threshold == 0.05)
    assert wait_until(
        lambda: (now := subscriber.latest()) is not None and any(row.score < 0.2 for row in now.objects)
    )
    controller.set_thresholds("front", 0.5, {"person": 0.1, "CAR": 0.2})
    assert tells(subscriber, lambda told: told.label_thresholds == {"person": 0.1, "car": 0.2})
    controller.set_thresholds("front", label_thresholds={"person": 0.3})
    assert tells(subscriber, lambda told: told.label_thresholds == {"person": 0.3, "car": 0.2})
    assert subscriber.described["front"].score_threshold == 0.5
    least = {"person": 0.3, "car": 0.2}
    for result in next_results(subscriber, 20):
        assert all(row.score >= least.get(row.label, 0.5) for row in result.objects)
    controller.set_thresholds("front", 0.4)
    assert tells(subscriber, lambda told: told.label_thresholds == {})


def test_a_frame_meets_the_old_classes_or_the_new_ones_never_both(
    controller: Controller, subscriber: Subscriber
) -> None:
    controller.set_thresholds("front", 0.05)
    controller.set_classes("front", ["person"])
    assert tells(subscriber, lambda told: told.classes == ("person",))
    subscriber.latest()
    seen = set[str]()
    for turn in range(30):
        controller.set_classes("front", ["car"] if turn % 2 else ["0"])
        for result in next_results(subscriber, 2):
            labels = {row.label for row in result.objects}
            assert len(labels) <= 1
            seen |= labels
    assert seen == {"person", "car"}
    controller.set_classes("front", [])
    assert tells(subscriber, lambda told: told.classes == ())


def test_another_model_takes_over_between_two_frames(controller: Controller, subscriber: Subscriber) -> None:
    before = subscriber.described["front"]
    controller.use_model(STANDBY)
    assert tells(subscriber, lambda told: told.labels != before.labels)
    assert "blazeface" in subscriber.described["front"].model
    assert wait_until(
        lambda: (now := subscriber.latest()) is not None and now.model == subscriber.described["front"].model
    )
    lost = health(subscriber).counters.dropped.get("error", 0)
    for turn in range(10):
        controller.use_model(STANDBY if turn % 2 else MODEL)
        next_results(subscriber, 2)
    assert health(subscriber).counters.dropped.get("error", 0) == lost == 0
    controller.use_model(MODEL)
    assert tells(subscriber, lambda told: told.model == before.model)
    assert controller.statistics().model == before.model


def test_a_model_without_the_classes_that_are_asked_for_is_refused(
    controller: Controller, subscriber: Subscriber
) -> None:
    controller.set_classes("front", ["car"])
    with pytest.raises(RefusedError, match=r"blazeface.* classes: 'car' is none of its labels"):
        controller.use_model(STANDBY)
    assert controller.statistics().model == subscriber.described["front"].model
    assert comes(subscriber)


def test_a_snapshot_is_the_picture_that_its_result_belongs_to(controller: Controller) -> None:
    taken = controller.snapshot("front", quality=100)
    assert taken.result is not None
    assert (taken.result.seq, taken.result.captured_ns) == (taken.seq, taken.captured_ns)
    picture = cv2.imdecode(np.frombuffer(taken.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (clip.SIZE[1], clip.SIZE[0], 3)
    differences = np.abs(picture.astype(int) - frame_of_the_clip(taken.seq % clip.FRAMES))
    assert differences.mean() < 3
    small = controller.snapshot("front", longest_side=64)
    assert cv2.imdecode(np.frombuffer(small.jpeg, np.uint8), cv2.IMREAD_COLOR).shape == (27, 64, 3)
    assert small.size == clip.SIZE
    assert small.captured_ns > taken.captured_ns


def frame_of_the_clip(number: int) -> np.ndarray:
    with av.open(str(clip.clip_path())) as container:
        frames = (frame for i, frame in enumerate(container.decode(video=0)) if i == number)
        return next(frames).to_ndarray(format="bgr24").astype(int)


def test_a_paused_stream_shows_its_camera_without_a_result(
    controller: Controller, subscriber: Subscriber
) -> None:
    controller.pause("front")
    first, second = controller.snapshot("front"), controller.snapshot("front")
    assert first.result is None
    assert second.captured_ns > first.captured_ns


def test_statistics_balance(controller: Controller) -> None:
    of_stream = controller.statistics().streams["front"]
    assert of_stream.captured == of_stream.published + of_stream.in_flight + sum(of_stream.dropped.values())
    assert of_stream.state == "running"


@pytest.mark.parametrize(
    ("ask", "why"),
    [
        (lambda c: c.pause("rear"), "no stream 'rear'; expected one of front"),
        (lambda c: c.set_classes("front", ["persn"]), 'did you mean "person"'),
        (lambda c: c.set_thresholds("front", 1.5), "score_threshold"),
        (lambda c: c.set_thresholds("front", float("nan")), "score_threshold"),
        (lambda c: c.set_thresholds("front"), "expected score_threshold or label_thresholds"),
        (lambda c: c.set_thresholds("front", 0.2, {"unicorn": 0.5}), "unicorn"),
        (lambda c: c.use_model("yolox-nano"), "isn't loaded; expected one of nanodet-g, blazeface"),
        (lambda c: c.snapshot("front", longest_side=3), "longest_side"),
    ],
)
def test_what_can_t_be_done_is_one_line_and_changes_nothing(
    ask: Callable[[Controller], object], why: str, controller: Controller, subscriber: Subscriber
) -> None:
    before = subscriber.described["front"]
    with pytest.raises(RefusedError, match=why) as caught:
        ask(controller)
    assert "\n" not in str(caught.value)
    assert comes(subscriber)
    assert subscriber.described["front"] == before


def test_a_message_that_is_too_long_ends_its_connection_alone(
    engine: RunningEngine, controller: Controller, subscriber: Subscriber
) -> None:
    with Session(engine) as kept, Session(engine) as flooding:
        assert kept.ask(GetStatistics())
        flooding.socket.send(b"x" * 2**20)
        flooding.socket.send_multipart([b""] * 10_000)
        assert kept.ask(GetStatistics())
        assert controller.statistics().streams
        assert comes(subscriber)


def test_nobody_there_ends_at_the_deadline() -> None:
    with pytest.raises(SourceError, match=r"no answer to pause within 0.2 s"):
        Controller("tcp://127.0.0.1:1", timeout_s=0.2).pause("front")
    with pytest.raises(ConfigError, match="can't connect to 'nonsense'"):
        Controller("nonsense").pause("front")


def test_a_controller_needs_neither_opencv_nor_onnx_runtime() -> None:
    program = (
        "import sys; from edge_engine import Controller; Controller(); "
        "sys.exit(any(name in sys.modules for name in ('cv2', 'onnxruntime', 'numba', 'av')))"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
