"""Network cameras: a real RTSP server in another process, and what befalls it."""

from __future__ import annotations

import gc
import itertools
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from edge_engine.client import Subscriber
from edge_engine.config import Config, OutputsConfig, StreamConfig, ZeroMqConfig
from edge_engine.engine import Engine
from edge_engine.errors import ConfigError, SourceError
from edge_engine.sources import make_source
from edge_engine.sources.live import Patience
from edge_engine.sources.test_pattern import read_counter
from edge_engine.state import StreamState
from tests.rigs.peer import PATIENCE_S, ROOT, Peer, open_descriptors, wait_until
from tests.sources.live import opened, pictures, too_fresh_ms


@pytest.fixture
def camera() -> Iterator[Peer]:
    with Peer("rtsp_server") as peer:
        yield peer


def uri(camera: Peer, transport: str = "tcp") -> str:
    return f"rtsp://robot:s3cret@127.0.0.1:{camera.port}/cam#transport={transport}"


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_stamps_tell_when_pictures_were_taken_also_of_those_that_the_network_held_up(
    camera: Peer, transport: str
) -> None:
    source, _ = opened(uri(camera, transport), Patience(30_000, 30_000))
    assert "s3cret" not in source.description
    assert source.description.endswith(f"640x480 h264 at 25 fps over {transport}")
    usual_ms = statistics.median(map(too_fresh_ms, pictures(source, 25)))
    assert -5 <= usual_ms < 200
    camera.say("hold")
    threading.Timer(0.8, camera.say, ["burst"]).start()
    late = pictures(source, 40)
    assert max(map(too_fresh_ms, late)) < usual_ms + 200
    assert all(one.captured_ns < other.captured_ns for one, other in itertools.pairwise(late))
    source.close()


def test_utc_stamps_are_the_senders_own_where_rtcp_tells_them(camera: Peer) -> None:
    source, _ = opened(uri(camera))
    utc_minus_monotonic_ms = time.time_ns() // 1_000_000 - time.monotonic_ns() // 1_000_000
    pictures(source, 10)
    errors_ms = [
        (grab.captured_utc_ns // 1_000_000 - utc_minus_monotonic_ms - read_counter(grab.pixels.bgr()) + 2**31)
        % 2**32
        - 2**31
        for grab in pictures(source, 20)
    ]
    assert abs(statistics.median(errors_ms)) < 200
    assert max(errors_ms) - min(errors_ms) < 200, "each picture's own, though they came 40 ms apart for 0.8 s"
    source.close()


def test_a_camera_that_freezes_stalls_is_opened_anew_and_comes_back(camera: Peer) -> None:
    source, status = opened(uri(camera))
    pictures(source, 10)
    seen: list[StreamState] = []
    camera.say("freeze")
    reading = threading.Thread(target=lambda: pictures(source, 5), daemon=True)
    reading.start()
    for state in (StreamState.STALLED, StreamState.RECONNECTING):
        assert wait_until(lambda state=state: status.now.state is state)  # type: ignore[misc]
        seen.append(status.now.state)
    camera.say("resume")
    assert wait_until(lambda: status.now.state is StreamState.RUNNING)
    assert status.now.reconnects == 1
    reading.join(PATIENCE_S)
    source.close()


def test_a_server_that_is_killed_leaves_nothing_behind_and_is_found_again(camera: Peer) -> None:
    source, status = opened(uri(camera))
    pictures(source, 5)
    gc.collect()
    descriptors, threads = open_descriptors(), threading.active_count()
    for times in (1, 2):
        camera.kill()
        back = threading.Thread(target=lambda: pictures(source, 50), daemon=True)
        back.start()
        assert wait_until(lambda: status.now.state is StreamState.RECONNECTING)
        camera.start()
        assert wait_until(lambda: status.now.state is StreamState.RUNNING)
        back.join(PATIENCE_S)
        assert not back.is_alive()
        assert status.now.reconnects == times
    gc.collect()
    assert wait_until(lambda: (open_descriptors(), threading.active_count()) <= (descriptors, threads))
    source.close()


def test_a_server_that_stops_is_judged_by_the_engines_own_clock(camera: Peer) -> None:
    source, status = opened(uri(camera))
    pictures(source, 5)
    camera.signal(signal.SIGSTOP)
    back = threading.Thread(target=lambda: pictures(source, 60), daemon=True)
    back.start()
    assert wait_until(lambda: status.now.state is StreamState.RECONNECTING)
    camera.signal(signal.SIGCONT)
    assert wait_until(lambda: status.now.state is StreamState.RUNNING)
    back.join(PATIENCE_S)
    source.close()


def test_an_end_that_the_server_makes_is_a_loss(camera: Peer) -> None:
    source, status = opened(uri(camera))
    pictures(source, 5)
    camera.say("bye")
    pictures(source, 60)
    assert status.now.reconnects == 1
    source.close()


def test_another_size_in_mid_stream_is_followed(camera: Peer) -> None:
    source, status = opened(uri(camera))
    for size in ((640, 480), (320, 240), (640, 480)):
        until = time.monotonic() + PATIENCE_S
        while pictures(source, 1)[0].pixels.size != size:
            assert time.monotonic() < until
        camera.say("res")
    assert status.now.reconnects == 0
    source.close()


@pytest.mark.parametrize(
    ("transport", "fault", "share"), [("udp", "loss 0.05", 0.9), ("tcp", "corrupt 0.1", 0.9)]
)
def test_what_is_lost_or_damaged_on_the_way_costs_single_pictures(
    camera: Peer, transport: str, fault: str, share: float
) -> None:
    source, status = opened(uri(camera, transport), Patience(30_000, 30_000))
    pictures(source, 10)
    camera.say(fault)
    first, *_, last = pictures(source, 75)
    sent = (last.captured_ns - first.captured_ns) / 1e9 * 25
    assert share * sent <= 74
    assert status.now.reconnects == 0
    source.close()


def test_what_can_not_be_opened_is_one_line_with_a_cure(camera: Peer) -> None:
    camera_uri = uri(camera).replace("/cam", "/other")
    with pytest.raises(SourceError, match=r"can't be opened: .*; is the path right") as caught:
        opened(camera_uri)
    assert "s3cret" not in str(caught.value)
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    with pytest.raises(SourceError, match=r"refused.*; nothing listens there"):
        opened(f"rtsp://127.0.0.1:{port}/cam")
    for wrong in ("rtsp://h/c#transport=pigeon", "rtsps://h/c#verify=yes", "rtsp://h/c#speed=1"):
        with pytest.raises(ConfigError, match=r"must be|is unknown"):
            make_source(wrong, pace=True, loop=False)


def test_an_address_that_swallows_everything_is_given_up_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as hole:
        text = f"rtsp://127.0.0.1:{hole.getsockname()[1]}/cam"
        with pytest.raises(SourceError, match=r"no picture within [0-9]+ ms; is it reachable"):
            opened(text, Patience(open_ms=300))


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


def test_a_client_sees_the_state_and_nothing_stale(camera: Peer, tmp_path: object) -> None:
    endpoint = f"ipc://{tmp_path}/results"
    config = engine_config(camera)
    outputs = OutputsConfig(zeromq=ZeroMqConfig(endpoint=endpoint))
    config = Config(streams=config.streams, outputs=outputs)
    with Subscriber(endpoint) as subscriber, Engine(config, collect=False):

        def state() -> str:
            subscriber.latest()
            return subscriber.health["a"].state if "a" in subscriber.health else ""

        assert wait_until(lambda: subscriber.latest() is not None)
        assert wait_until(lambda: state() == "running")
        camera.say("freeze")
        assert wait_until(lambda: subscriber.latest() is None)
        assert wait_until(lambda: state() == "reconnecting")
        camera.say("resume")
        assert wait_until(lambda: subscriber.latest() is not None)
        assert wait_until(lambda: state() == "running")
        assert subscriber.health["a"].reconnects == 1


@pytest.mark.parametrize("state", ["opening", "running", "reconnecting"])
def test_a_signal_ends_the_program_in_every_state(camera: Peer, state: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hole:
        text = f"rtsp://127.0.0.1:{hole.getsockname()[1]}/cam" if state == "opening" else uri(camera)
        command = [sys.executable, "-m", "edge_engine", "run", text, "--publish", "tcp://127.0.0.1:*"]
        with subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as program:
            assert program.stdout is not None
            if state == "opening":
                connection, _ = hole.accept()
            else:
                assert any("recognising" in line for line in program.stdout)
            if state == "reconnecting":
                camera.signal(signal.SIGSTOP)
                assert any("state=reconnecting" in line for line in program.stdout)
            program.terminate()
            rest = program.stdout.read()
            assert program.wait(PATIENCE_S) == 0, rest
            assert "captured" in rest
            if state == "opening":
                connection.close()
