"""Pictures from another process over ZeroMQ."""

from __future__ import annotations

import statistics
import threading
from collections.abc import Iterator

import numpy as np
import pytest
import zmq
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_engine.errors import ConfigError, CorruptFrameError, SourceError
from edge_engine.sender import FrameSender, HeaderError, PictureHeader, decode_header, encode_header
from edge_engine.sources import make_source
from edge_engine.sources.uri import parse_uri
from edge_engine.sources.zeromq import RAW_FORMATS, ZeroMqSource, pixels_of
from edge_engine.state import StreamState
from tests.rigs.peer import PATIENCE_S, Peer, wait_until
from tests.sources.live import opened, pictures, too_fresh_ms


@pytest.fixture
def camera() -> Iterator[Peer]:
    with Peer("zeromq_camera") as peer:
        yield peer


@pytest.mark.parametrize("pixel_format", ["jpeg", *RAW_FORMATS])
def test_pictures_of_each_format_come_with_the_senders_own_stamps(camera: Peer, pixel_format: str) -> None:
    camera.say(f"format {pixel_format}")
    source, status = opened(f"zmq:tcp://127.0.0.1:{camera.port}")
    pictures(source, 5)
    grabs = pictures(source, 10)
    assert {grab.pixels.size for grab in grabs} == {(640, 480)}
    assert {too_fresh_ms(grab) for grab in grabs} <= {0, 1}
    assert status.now.state is StreamState.RUNNING
    source.close()


def test_another_machines_clock_is_laid_on_this_one(camera: Peer) -> None:
    camera.say("foreign")
    source, _ = opened(f"zmq:tcp://127.0.0.1:{camera.port}")
    pictures(source, 10)
    assert -1 <= statistics.median(map(too_fresh_ms, pictures(source, 20))) < 200
    source.close()


def test_messages_that_are_no_pictures_are_counted_and_do_no_harm(camera: Peer) -> None:
    source, status = opened(f"zmq:tcp://127.0.0.1:{camera.port}")
    pictures(source, 3)
    camera.say("noise")
    complaints = 0
    for _ in range(60):
        try:
            source.read()
        except CorruptFrameError:
            complaints += 1
    assert complaints > 10
    assert status.now.reconnects == 0
    source.close()


def test_a_reader_that_was_away_gets_the_newest_and_the_rest_is_missed(camera: Peer) -> None:
    source = ZeroMqSource(parse_uri(f"zmq:tcp://127.0.0.1:{camera.port}"), pace=True, loop=False)
    source.open()
    for _ in range(3):
        source.read()
    missed = source.missed
    assert not threading.Event().wait(0.5)
    pictures(source, 5)
    assert source.missed > missed
    source.close()


def test_a_sender_that_was_killed_is_heard_again_when_it_is_back(camera: Peer) -> None:
    source, status = opened(f"zmq:tcp://127.0.0.1:{camera.port}")
    pictures(source, 5)
    camera.kill()
    back = threading.Thread(target=lambda: pictures(source, 30), daemon=True)
    back.start()
    assert wait_until(lambda: status.now.state is not StreamState.RUNNING)
    camera.start()
    back.join(PATIENCE_S)
    assert not back.is_alive()
    source.close()


def test_senders_may_connect_to_an_engine_that_binds() -> None:
    source = ZeroMqSource(parse_uri("zmq:tcp://127.0.0.1:*#bind=1&topic=left"), pace=True, loop=False)
    source.open()
    assert source._socket is not None
    endpoint = source._socket.getsockopt_string(zmq.LAST_ENDPOINT)
    image = np.arange(48 * 64 * 3, dtype=np.uint8).reshape(48, 64, 3)
    stop = threading.Event()

    def send() -> None:
        with FrameSender(endpoint, bind=False, topic="left") as sender:
            while not stop.wait(0.02):
                sender.send(image)

    sending = threading.Thread(target=send, daemon=True)
    sending.start()
    grab = source.read()
    stop.set()
    sending.join()
    assert grab is not None
    np.testing.assert_array_equal(grab.pixels.bgr(), image)
    source.close()


def test_what_can_not_be_had_is_one_line() -> None:
    with pytest.raises(SourceError, match="expected an endpoint such as zmq:tcp"):
        make_source("zmq:nonsense", pace=True, loop=False).open()
    with pytest.raises(ConfigError, match="bind must be 1 or 0"):
        make_source("zmq:tcp://127.0.0.1:1#bind=yes", pace=True, loop=False)


@settings(deadline=None)
@given(
    st.sampled_from(["jpeg", "webp", *RAW_FORMATS]),
    st.tuples(st.integers(-2, 2**62), st.integers(-2, 2**62))
    | st.tuples(st.integers(0, 9), st.integers(0, 9)),
    st.binary(max_size=300),
)
def test_a_picture_that_is_not_what_its_header_says_is_corrupt_and_no_crash(
    pixel_format: str, size: tuple[int, int], data: bytes
) -> None:
    header = PictureHeader(seq=0, format=pixel_format, size=size, captured_ns=1, captured_utc_ns=1, clock="")
    try:
        pixels = pixels_of(header, zmq.Frame(data))
    except CorruptFrameError:
        return
    assert pixels.size == size


HEADERS = st.builds(
    PictureHeader,
    seq=st.integers(0, 2**60),
    format=st.text(max_size=20),
    size=st.tuples(st.integers(-5, 2**40), st.integers(-5, 2**40)),
    captured_ns=st.integers(0, 2**62),
    captured_utc_ns=st.integers(0, 2**62),
    clock=st.text(max_size=40),
)


@settings(deadline=None)
@given(HEADERS, st.binary(max_size=100), st.integers(0, 10**6))
def test_a_header_comes_out_as_it_was_and_a_damaged_one_does_not(
    header: PictureHeader, noise: bytes, at: int
) -> None:
    data = encode_header(header)
    assert decode_header(data) == header
    damaged = bytearray(data)
    damaged[at % len(data)] ^= 0x55
    for wrong in (bytes(damaged), noise, data[:-1]):
        with pytest.raises(HeaderError):
            decode_header(wrong)
