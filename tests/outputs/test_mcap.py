"""MCAP: real engines recording on real disks, that are full, read-only, gone, slow, or lose their power."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from mcap.reader import make_reader

from edge_engine.client import Subscriber
from edge_engine.config import Config, McapConfig, OutputsConfig, StreamConfig, ZeroMqConfig
from edge_engine.engine import Engine
from edge_engine.pixels import AvPixels, JpegPixels
from edge_engine.recording.reading import Item, RecordedFrame, RecordingReader
from edge_engine.sender import FrameSender
from edge_engine.wire import DescribeMessage, ResultMessage
from tests import clip
from tests.rigs.disk import remount, small_disk
from tests.rigs.peer import wait_until

FRAMES = 24


def record_clip(path: Path, **settings: object) -> list[ResultMessage]:
    outputs = OutputsConfig(mcap=McapConfig(path=str(path), **settings))  # type: ignore[arg-type]
    streams = {"street": StreamConfig(source=clip.URI, pace=False)}
    config = Config(streams=streams, policy="lossless", frames=FRAMES, outputs=outputs)
    with Engine(config, collect=False) as engine:
        engine.wait()
    assert engine.outputs[0].alarm == ""
    return [item for item in read(path)[0] if isinstance(item, ResultMessage)]


def read(path: Path) -> tuple[list[Item], int | None]:
    """All of it, and where it is broken."""
    reader = RecordingReader(path)
    items = list(reader.items())
    reader.close()
    return items, reader.broken_at


def frames_of(path: Path) -> list[RecordedFrame]:
    return [item for item in read(path)[0] if isinstance(item, RecordedFrame)]


def test_decoded_frames_are_kept_as_the_decoder_gave_them(tmp_path: Path) -> None:
    results = record_clip(tmp_path / "a.mcap")
    assert [each.seq for each in results] == list(range(FRAMES))
    recorded = frames_of(tmp_path / "a.mcap")
    with av.open(str(clip.clip_path())) as container:
        for frame, decoded in zip(recorded, container.decode(video=0), strict=False):
            pixels = frame.pixels()
            assert isinstance(pixels, AvPixels)
            assert np.array_equal(pixels.frame.to_ndarray(), decoded.to_ndarray())
            assert frame.message.shown_ns == frame.message.seq * 10**9 // clip.FPS
    assert len(recorded) == FRAMES


def test_other_readers_find_everything_by_its_index(tmp_path: Path) -> None:
    results = record_clip(tmp_path / "a.mcap", compression="zstd")
    with (tmp_path / "a.mcap").open("rb") as file:
        reader = make_reader(file)
        summary = reader.get_summary()
        messages = list(reader.iter_messages())
    assert summary is not None
    assert summary.statistics is not None
    assert {each.topic for each in summary.channels.values()} >= {
        f"/street/{topic}" for topic in ("image_raw", "frame", "result", "annotations", "describe")
    }
    stamps = [message.log_time for _, channel, message in messages if channel.topic == "/street/result"]
    assert stamps == [each.captured_utc_ns for each in results]


@pytest.mark.parametrize(("frames", "kept"), [("every:5", [0, 5, 10, 15, 20]), ("none", [])])
def test_fewer_frames_all_results(tmp_path: Path, frames: str, kept: list[int]) -> None:
    results = record_clip(tmp_path / "a.mcap", frames=frames)
    assert len(results) == FRAMES
    assert [frame.message.seq for frame in frames_of(tmp_path / "a.mcap")] == kept


def test_without_a_recorder_no_result_keeps_its_pixels() -> None:
    config = Config(streams={"a": StreamConfig(source=clip.URI, pace=False)}, policy="lossless", frames=2)
    with Engine(config) as engine:
        assert [result.frame.pixels for result in engine.results()] == [None, None]


def test_full_files_are_renamed_and_each_can_be_read(tmp_path: Path) -> None:
    record_clip(tmp_path / "a.mcap", max_mb=1, files=3, compression="none")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.1.mcap", "a.2.mcap", "a.mcap"]
    seqs: list[int] = []
    for name in ("a.2.mcap", "a.1.mcap", "a.mcap"):
        items, broken_at = read(tmp_path / name)
        assert broken_at is None
        assert isinstance(items[0], DescribeMessage)
        seqs += [item.message.seq for item in items if isinstance(item, RecordedFrame)]
    assert seqs == list(range(seqs[0], FRAMES))


def test_a_recording_that_is_there_is_kept(tmp_path: Path) -> None:
    first = record_clip(tmp_path / "a.mcap", frames="none")
    second = record_clip(tmp_path / "a.mcap", frames="none")
    assert {each.session for each in second}.isdisjoint(each.session for each in first)
    kept = [item for item in read(tmp_path / "a.1.mcap")[0] if isinstance(item, ResultMessage)]
    assert [each.session for each in kept] == [each.session for each in first]


@pytest.mark.parametrize("compression", ["none", "lz4", "zstd"])
def test_a_file_cut_off_anywhere_is_read_up_to_there(tmp_path: Path, compression: str) -> None:
    """What power loss leaves; so does a file of which a page was never written, and is zero."""
    record_clip(tmp_path / "a.mcap", compression=compression)
    whole, cut = (tmp_path / "a.mcap").read_bytes(), tmp_path / "cut.mcap"
    generator = np.random.default_rng(0)
    counts = []
    for length in sorted(generator.integers(3000, len(whole), 12).tolist()):
        for tail in (b"", bytes(4096)):
            cut.write_bytes(whole[:length] + tail)
            items, broken_at = read(cut)
            assert broken_at is not None
            assert broken_at <= length + len(tail)
            assert all(item.pixels().size == clip.SIZE for item in items if isinstance(item, RecordedFrame))
        counts.append(len(items))
    assert counts == sorted(counts)


def test_a_jpeg_camera_is_recorded_without_touching_a_byte(tmp_path: Path) -> None:
    sent: set[bytes] = set()
    done = threading.Event()
    with FrameSender(f"ipc://{tmp_path}/camera") as sender:

        def send() -> None:
            number = 0
            while not done.wait(0.04):
                number += 1
                image = np.full((48, 64, 3), number % 251, np.uint8)
                packed = cv2.imencode(".jpg", image)[1].tobytes()
                sent.add(hashlib.sha256(packed).digest())
                sender.send(packed, size=(64, 48), pixel_format="jpeg")

        sending = threading.Thread(target=send)
        sending.start()
        outputs = OutputsConfig(mcap=McapConfig(path=str(tmp_path / "a.mcap")))
        stream = StreamConfig(source=f"zmq:{sender.endpoint}", max_age_ms=60_000)
        with Engine(Config(streams={"a": stream}, frames=10, outputs=outputs), collect=False) as engine:
            engine.wait()
        done.set()
        sending.join()
    recorded = frames_of(tmp_path / "a.mcap")
    assert recorded
    for frame in recorded:
        pixels = frame.pixels()
        assert isinstance(pixels, JpegPixels)
        assert hashlib.sha256(pixels.packed).digest() in sent


@contextmanager
def live_engine(tmp_path: Path, path: Path, **settings: object) -> Iterator[Subscriber]:
    """A camera of 30 frames a second, recorded there, and a client of its results."""
    endpoint = f"ipc://{tmp_path}/results"
    outputs = OutputsConfig(
        zeromq=ZeroMqConfig(endpoint=endpoint),
        mcap=McapConfig(path=str(path), compression="none", **settings),  # type: ignore[arg-type]
    )
    config = Config(streams={"a": StreamConfig(source="test:320x240@30")}, outputs=outputs)
    with Subscriber(endpoint) as subscriber, Engine(config, collect=False):
        yield subscriber


def alarm(subscriber: Subscriber) -> str:
    subscriber.latest()
    return subscriber.health["a"].alarms.get("mcap", "") if "a" in subscriber.health else ""


def newest(subscriber: Subscriber) -> int:
    result = subscriber.latest()
    assert result is not None
    return result.seq


def assert_results_come(subscriber: Subscriber) -> None:
    before = subscriber.stats.received
    assert wait_until(lambda: subscriber.latest() is not None and subscriber.stats.received > before + 20)


def test_a_full_disk_is_an_alarm_and_recording_resumes_with_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "card", 3_000_000) as card:
        with live_engine(tmp_path, card / "a.mcap") as subscriber:
            assert wait_until(lambda: "No space left on device" in alarm(subscriber))
            assert_results_come(subscriber)
            seen = newest(subscriber)
            remount(card, "size=100000000")
            assert wait_until(lambda: not alarm(subscriber))
            size = (card / "a.mcap").stat().st_size
            assert wait_until(lambda: (card / "a.mcap").stat().st_size > size)
        items, broken_at = read(card / "a.mcap")
        assert [path.name for path in card.iterdir()] == ["a.mcap"]
    seqs = [item.message.seq for item in items if isinstance(item, RecordedFrame)]
    assert broken_at is None
    assert seqs == sorted(seqs)
    assert seqs[0] < seen < seqs[-1]


def test_a_read_only_disk_is_an_alarm_and_recording_resumes_when_it_is_not(tmp_path: Path) -> None:
    with small_disk(tmp_path / "card", 100_000_000) as card:
        remount(card, "ro")
        with live_engine(tmp_path, card / "a.mcap") as subscriber:
            assert wait_until(lambda: "Read-only file system" in alarm(subscriber))
            assert_results_come(subscriber)
            remount(card, "rw")
            assert wait_until(lambda: not alarm(subscriber))
        assert read(card / "a.mcap")[1] is None
        assert frames_of(card / "a.mcap")


def test_a_folder_that_comes_later_is_recorded_in_from_then_on(tmp_path: Path) -> None:
    folder = tmp_path / "card"
    with live_engine(tmp_path, folder / "a.mcap") as subscriber:
        assert wait_until(lambda: "No such file or directory" in alarm(subscriber))
        assert_results_come(subscriber)
        folder.mkdir()
        assert wait_until(lambda: not alarm(subscriber))
    assert frames_of(folder / "a.mcap")


def test_a_disk_that_hangs_holds_up_no_result(tmp_path: Path) -> None:
    """A pipe that nobody reads: the kernel lets whoever opens it wait."""
    pipe = tmp_path / "a.mcap"
    os.mkfifo(pipe)
    with live_engine(tmp_path, pipe, files=1) as subscriber:
        assert wait_until(lambda: "too slow" in alarm(subscriber))
        assert_results_come(subscriber)
    pipe.open("rb").close()  # lets the thread go
