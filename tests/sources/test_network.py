"""Network cameras: a real RTSP server in another process, and what befalls it."""

from __future__ import annotations

import gc
import itertools
import signal
import socket
import statistics
import threading
import time
from collections.abc import Iterator

import pytest

from edge_engine.clock import NS_PER_S
from edge_engine.errors import ConfigError, SourceError
from edge_engine.sources import feed, make_source
from edge_engine.sources.live import Patience
from edge_engine.sources.network import NetworkSource
from edge_engine.sources.reader import Opened, Reader
from edge_engine.sources.test_pattern import read_counter
from edge_engine.sources.uri import parse_uri
from edge_engine.state import StreamState
from tests.rigs.peer import PATIENCE_S, Peer, open_descriptors, wait_until
from tests.sources.live import Reading, opened, pictures, too_fresh_ms

FOR_EVER_NS = 2**62


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


def test_pictures_that_are_sent_out_of_their_order_keep_their_own_stamps() -> None:
    with Peer("rtsp_server", "--bframes", "2") as camera:
        source, _ = opened(uri(camera))
        grabs = pictures(source, 40)
        assert max(map(too_fresh_ms, grabs)) - min(map(too_fresh_ms, grabs)) < 200, "they differ by 120 ms"
        steps = [(other.captured_ns - one.captured_ns) / 1e6 for one, other in itertools.pairwise(grabs)]
        assert statistics.median(steps) == pytest.approx(40, abs=10)
        source.close()


def test_a_camera_that_freezes_stalls_is_opened_anew_and_comes_back(camera: Peer) -> None:
    source, status = opened(uri(camera))
    reading = Reading(source)
    assert reading.comes(10)
    camera.say("freeze")
    assert wait_until(lambda: status.now.state is StreamState.STALLED)
    assert wait_until(lambda: status.now.state is StreamState.RECONNECTING)
    camera.say("resume")
    assert reading.comes(5)
    assert status.now.state is StreamState.RUNNING
    assert status.now.reconnects == 1
    reading.end()


def test_a_server_that_is_killed_leaves_nothing_behind_and_is_found_again(camera: Peer) -> None:
    source, status = opened(uri(camera))
    reading = Reading(source)
    assert reading.comes(5)
    gc.collect()
    descriptors, threads = open_descriptors(), threading.active_count()
    for times in (1, 2, 3):
        camera.kill()
        assert wait_until(lambda: status.now.state is StreamState.RECONNECTING)
        camera.start()
        assert reading.comes(5)
        assert status.now.reconnects == times
    gc.collect()
    assert wait_until(lambda: (open_descriptors(), threading.active_count()) <= (descriptors, threads))
    reading.end()


def test_a_server_that_stops_is_judged_by_the_engines_own_clock(camera: Peer) -> None:
    source, status = opened(uri(camera))
    reading = Reading(source)
    assert reading.comes(10)
    camera.signal(signal.SIGSTOP)
    assert wait_until(lambda: status.now.state is StreamState.RECONNECTING)
    camera.signal(signal.SIGCONT)
    assert reading.comes(5)
    reading.end()


def test_an_end_that_the_server_makes_is_a_loss(camera: Peer) -> None:
    source, status = opened(uri(camera))
    reading = Reading(source)
    assert reading.comes(5)
    camera.say("bye")
    assert wait_until(lambda: status.now.reconnects == 1)
    assert reading.comes(5)
    reading.end()


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


def test_a_camera_that_asks_for_a_password_gets_it_and_nobody_else() -> None:
    with Peer("rtsp_server", "--user", "robot:s3cret") as camera:
        source, _ = opened(uri(camera))
        assert pictures(source, 1)
        source.close()
        with pytest.raises(SourceError, match=r"401 Unauthorized.*; give a user and password") as caught:
            opened(uri(camera).replace("s3cret", "s3cr3t"))
        assert "s3cr" not in str(caught.value)


def test_a_name_that_nobody_has_is_told_from_a_certificate_that_nobody_trusts() -> None:
    for text, cure in (
        ("rtsp://nobody..invalid/cam", "can't be opened: .*is the host's name right"),
        ("rtsps://nobody..invalid/cam", "can't be opened: .*is its certificate one that this machine trusts"),
    ):
        with pytest.raises(SourceError, match=cure):
            opened(text)


def test_an_address_that_swallows_everything_is_given_up_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as hole:
        text = f"rtsp://127.0.0.1:{hole.getsockname()[1]}/cam"
        with pytest.raises(SourceError, match=r"no picture within [0-9]+ ms; is it reachable"):
            opened(text, Patience(open_ms=300))


def connection_to(text: str) -> NetworkSource:
    return NetworkSource(parse_uri(text), pace=False, loop=False)


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_read_that_waits_ends_when_it_is_given_up_and_leaves_no_connection(
    camera: Peer, transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "READ_S", 1e6)
    before = open_descriptors()
    source = connection_to(uri(camera, transport))
    reader = Reader(source, "a reader")
    news = [reader.take(FOR_EVER_NS) for _ in range(5)]
    assert isinstance(news[0], Opened)
    camera.signal(signal.SIGSTOP)
    while reader.take(time.monotonic_ns() + NS_PER_S) is not None:
        pass  # what was on its way
    reader.abandon()
    assert reader.join(PATIENCE_S)
    del reader, source, news
    gc.collect()
    assert open_descriptors() == before


def test_an_open_that_waits_ends_when_it_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "OPEN_S", 1e6)
    with socket.create_server(("127.0.0.1", 0)) as hole:
        reader = Reader(connection_to(f"rtsp://127.0.0.1:{hole.getsockname()[1]}/cam"), "a reader")
        connection, _ = hole.accept()
        reader.abandon()
        assert reader.join(PATIENCE_S)
        connection.close()
