"""Cameras over HTTP: a real MJPEG server in another process, and what befalls it."""

from __future__ import annotations

import resource
import shutil
import signal
import statistics
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from edge_engine.errors import ConfigError, CorruptFrameError, SourceError
from edge_engine.sources import make_source
from edge_engine.sources.http import HttpSource
from edge_engine.sources.live import Patience
from edge_engine.sources.uri import parse_uri
from edge_engine.state import StreamState
from tests.rigs.peer import PATIENCE_S, Peer, wait_until
from tests.sources.live import opened, pictures, too_fresh_ms


@pytest.fixture
def camera() -> Iterator[Peer]:
    with Peer("mjpeg_server") as peer:
        yield peer


def uri(camera: Peer, path: str = "cam") -> str:
    return f"http://127.0.0.1:{camera.port}/{path}"


@pytest.mark.parametrize("path", ["cam", "chunked", "stamped", "early"])
def test_pictures_come_packed_and_stamped_when_they_began_to_come(camera: Peer, path: str) -> None:
    source, _ = opened(uri(camera, path))
    assert source.description == f"{uri(camera, path)}: MJPEG"
    grabs = pictures(source, 25)
    assert {grab.pixels.size for grab in grabs} == {(640, 480)}
    assert -5 <= statistics.median(map(too_fresh_ms, grabs)) < 200
    assert source.missed <= 5
    source.close()


def test_a_burst_of_old_pictures_is_dated_by_the_servers_own_stamps(camera: Peer) -> None:
    source, _ = opened(uri(camera, "stamped"), Patience(30_000, 30_000))
    usual_ms = statistics.median(map(too_fresh_ms, pictures(source, 15)))
    camera.say("hold")
    threading.Timer(0.8, camera.say, ["burst"]).start()
    assert max(map(too_fresh_ms, pictures(source, 20))) < usual_ms + 200
    assert source.missed > 0, "of a burst the newest alone is worth a look"
    source.close()


@pytest.mark.parametrize("how", ["burst", "drip"])
def test_old_pictures_that_come_in_a_rush_after_a_stall_are_not_taken_for_fresh_ones(how: str) -> None:
    with Peer("mjpeg_server", "--fps", "5") as camera:
        source, _ = opened(uri(camera), Patience(30_000, 30_000))
        pictures(source, 5)
        camera.say("hold")
        threading.Timer(3, camera.say, [how]).start()
        after = pictures(source, 3)
        assert max(map(too_fresh_ms, after)) < 1000, "they were up to 3 s old"
        assert source.missed >= 8
        source.close()


def test_a_slow_cameras_picture_is_no_older_than_it_is() -> None:
    """mjpg-streamer sends the next delimiter with the picture: it says nothing of when the next is taken."""
    with Peer("mjpeg_server", "--fps", "2") as camera:
        source, _ = opened(uri(camera, "early"), Patience(30_000, 30_000))
        assert statistics.median(map(too_fresh_ms, pictures(source, 5))) >= -5
        source.close()


def test_a_picture_that_the_server_hangs_up_after_is_not_lost(camera: Peer) -> None:
    source = HttpSource(parse_uri(uri(camera, "once")), pace=False, loop=False)
    source.open()
    assert wait_until(lambda: camera.ask("over") == "1")
    pictures(source, 1)
    with pytest.raises(SourceError, match="the server has ended the stream"):
        source.read()
    source.close()


@pytest.mark.parametrize(("fault", "says"), [("trunc", "cut short"), ("png", "no JPEG")])
def test_what_is_no_whole_jpeg_is_counted_and_is_no_reason_to_reconnect(
    camera: Peer, fault: str, says: str
) -> None:
    source, status = opened(uri(camera))
    pictures(source, 3)
    camera.say(fault)
    complaints: list[str] = []
    until = time.monotonic() + PATIENCE_S
    while len(complaints) < 10 and time.monotonic() < until:
        try:
            source.read()
        except CorruptFrameError as error:
            complaints.append(str(error))
    assert len(complaints) == 10
    assert all(says in complaint for complaint in complaints)
    camera.say("whole")
    pictures(source, 3)
    assert (status.now.reconnects, camera.ask("count")) == (0, "1")
    source.close()


def test_damaged_pictures_never_stop_the_stream(camera: Peer) -> None:
    source, status = opened(uri(camera))
    camera.say("corrupt")
    for grab in pictures(source, 20):
        try:
            assert grab.pixels.bgr().shape == (480, 640, 3)
        except CorruptFrameError:
            continue
    assert status.now.reconnects == 0
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


@pytest.mark.parametrize("fault", ["freeze", "end", "kill", "stop"])
def test_a_camera_that_goes_away_comes_back(camera: Peer, fault: str) -> None:
    source, status = opened(uri(camera))
    pictures(source, 5)
    back = threading.Thread(target=lambda: pictures(source, 60), daemon=True)
    if fault == "kill":
        camera.kill()
    elif fault == "stop":
        camera.signal(signal.SIGSTOP)
    else:
        camera.say(fault)
    back.start()
    if fault != "end":
        assert wait_until(lambda: status.now.state is StreamState.RECONNECTING)
    if fault == "kill":
        camera.start()
    elif fault == "stop":
        camera.signal(signal.SIGCONT)
    elif fault == "freeze":
        camera.say("resume")
    back.join(PATIENCE_S)
    assert not back.is_alive()
    assert status.now.state is StreamState.RUNNING
    assert status.now.reconnects >= 1
    source.close()


@pytest.mark.parametrize("path", ["still", "jpg"])
def test_an_address_of_single_pictures_is_asked_again_and_again(camera: Peer, path: str) -> None:
    source, status = opened(f"{uri(camera, path)}#fps=20")
    grabs = pictures(source, 5)
    assert source.description.endswith("single JPEGs, asked for at 20 fps")
    assert len({grab.captured_ns for grab in grabs}) == 5
    assert statistics.median(map(too_fresh_ms, grabs)) < 200
    assert status.now.reconnects == 0
    source.close()


@pytest.mark.parametrize("path", ["cam", "still"])
def test_a_wait_ends_at_once_when_it_is_interrupted(camera: Peer, path: str) -> None:
    source, _ = opened(f"{uri(camera, path)}#fps=0.001")
    pictures(source, 1)
    camera.say("freeze")
    reading = threading.Thread(target=lambda: [source.read() for _ in range(100)], daemon=True)
    reading.start()
    source.interrupt()
    reading.join(PATIENCE_S)
    assert not reading.is_alive()
    source.close()


def test_what_can_not_be_opened_is_one_line_with_a_cure(camera: Peer) -> None:
    for path, says in (
        ("page", r"gives a page \(text/html\), no pictures"),
        ("other", "404 Not Found; is the path right"),
    ):
        with pytest.raises(SourceError, match=says):
            opened(uri(camera, path))
    camera.kill()
    with pytest.raises(SourceError, match=r"refused; nothing listens there"):
        opened(uri(camera))
    with pytest.raises(ConfigError, match="verify must be 1 or 0"):
        make_source("https://h/c#verify=maybe", pace=True, loop=False)


def test_a_process_with_very_many_open_files_reads_a_camera_too(camera: Peer) -> None:
    """select() takes no descriptor from 1024 on."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2048:
        pytest.skip("this system allows no so many")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    with ExitStack() as files:
        for _ in range(1100):
            files.enter_context(Path("/dev/null").open("rb"))
        source, _ = opened(uri(camera))
        pictures(source, 3)
        source.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_a_user_and_password_are_given_where_they_are_asked_for_and_never_shown(algorithm: str) -> None:
    with Peer("mjpeg_server", "--user", "robot:s3cr@t", "--digest", algorithm) as camera:
        address = f"http://robot:s3cr%40t@127.0.0.1:{camera.port}/cam"
        source, _ = opened(address)
        pictures(source, 2)
        assert "s3cr" not in source.description
        source.close()
        for wrong in (uri(camera), address.replace("s3cr", "other")):
            with pytest.raises(SourceError, match=r"401 .*; give a user and password") as caught:
                opened(wrong)
            assert "other" not in str(caught.value)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate with openssl")
def test_a_cameras_own_certificate_is_taken_when_that_is_said(tmp_path: Path) -> None:
    file = tmp_path / "camera.pem"
    subject = ["-subj", "/CN=localhost", "-keyout", str(file), "-out", str(tmp_path / "c.pem")]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *subject]
    subprocess.run(command, check=True, capture_output=True)
    file.write_bytes(file.read_bytes() + (tmp_path / "c.pem").read_bytes())
    with Peer("mjpeg_server", "--tls", str(file)) as camera:
        address = f"https://127.0.0.1:{camera.port}/cam"
        with pytest.raises(SourceError, match=r"certificate is taken with #verify=0"):
            opened(address)
        source, _ = opened(f"{address}#verify=0")
        pictures(source, 3)
        source.close()
