"""Streams that no server describes: MPEG-TS over TCP and UDP, and others, whole and odd."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from edge_engine.errors import SourceError
from edge_engine.sources.live import Patience
from tests.rigs.peer import Peer
from tests.rigs.rtsp_server import picture
from tests.sources.live import opened, pictures, too_fresh_ms
from tests.sources.made import make_video

ONCE = Patience(30_000, 30_000, "never")


@contextmanager
def sent_to_whoever_connects(data: bytes) -> Iterator[str]:
    """The address. What is sent is followed by the connection's end."""

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            connection.sendall(data)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
        thread.join()


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_transport_stream_gives_each_picture_its_own_stamp(transport: str) -> None:
    with Peer("ts_sender", transport, "--bframes", "2") as sender:
        source, _ = opened(f"{transport}://127.0.0.1:{sender.port}", ONCE)
        assert source.description.endswith("640x480 h264 at 25 fps")
        too_fresh = [too_fresh_ms(grab) for grab in pictures(source, 50)]
        assert max(too_fresh) - min(too_fresh) < 200
        source.close()


def transport_stream(count: int, *, has_sound: bool) -> bytes:
    file = BytesIO()
    container: Any = av.open(file, "w", format="mpegts")
    video = container.add_stream("mpeg2video", rate=25)
    video.width, video.height, video.pix_fmt = 320, 240, "yuv420p"
    sound = container.add_stream("mp2", rate=48_000) if has_sound else None
    for number in range(count):
        frame = av.VideoFrame.from_ndarray(picture((320, 240), number), format="bgr24")
        container.mux(video.encode(frame))
        if sound is not None:
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 2 * 1920), np.int16), layout="stereo")
            silence.sample_rate, silence.pts = 48_000, number * 1920
            container.mux(sound.encode(silence))
    container.mux(video.encode())
    container.close()
    return file.getvalue()


def test_sound_that_begins_later_does_not_turn_the_end_into_a_fault() -> None:
    data = transport_stream(400, has_sound=False) + transport_stream(100, has_sound=True)
    with sent_to_whoever_connects(data) as address:
        source, _ = opened(address, ONCE)
        with pytest.raises(SourceError, match="the server has ended the stream"):
            pictures(source, 1000)
        source.close()


def test_a_codec_that_nobody_knows_is_one_line(tmp_path: Path) -> None:
    data = make_video(tmp_path / "odd.avi", "mjpeg", pix_fmt="yuvj420p").read_bytes()
    with (
        sent_to_whoever_connects(data.replace(b"MJPG", b"ZZZZ")) as address,
        pytest.raises(SourceError, match="of a kind that this FFmpeg can't decode; is it set to"),
    ):
        opened(address, ONCE)


def test_what_is_no_video_at_all_is_one_line() -> None:
    noise = np.random.default_rng(1).bytes(2_000_000)
    with (
        sent_to_whoever_connects(noise) as address,
        pytest.raises(SourceError, match=r"can't be opened|no video in it|that this FFmpeg can't decode"),
    ):
        opened(address, ONCE)
