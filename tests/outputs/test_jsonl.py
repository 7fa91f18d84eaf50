"""JSON lines: real files, a disk that is full, and one that comes back."""

from __future__ import annotations

import json
import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import msgspec
import numpy as np
import pytest

from edge_engine.client import Subscriber
from edge_engine.config import Config, JsonlConfig, OutputsConfig, StreamConfig, ZeroMqConfig
from edge_engine.engine import Engine
from edge_engine.frame import Frame
from edge_engine.ledger import Counts
from edge_engine.outputs.jsonl import JsonLines, open_output
from edge_engine.outputs.output import Circumstances
from edge_engine.outputs.queued import Published, Pulse, QueuedOutput
from edge_engine.result import Objects, Result
from edge_engine.wire import ResultMessage
from tests import clip
from tests.rigs.peer import wait_until

FULL = Path("/dev/full")  # the kernel's own: each write finds no space


def make_result(number: int) -> Result:
    frame = Frame("a", number, 100, 200, (640, 480), None)
    return Result(frame, Objects.none(), ("person",), "m", "s", 900)


def counts(number: int) -> Counts:
    return Counts(number, number, 0, {})


def opened(path: Path, *, waits: bool = False) -> QueuedOutput:
    streams = {"a": StreamConfig(source="push:")}
    config = Config(streams=streams, policy="lossless" if waits else "live")
    output = open_output(JsonlConfig(path=str(path), max_mb=1, files=1), Circumstances(config, {}, "s"))
    assert isinstance(output, QueuedOutput)
    return output


def lines(path: Path) -> list[ResultMessage]:
    return [msgspec.json.decode(line, type=ResultMessage) for line in path.read_bytes().splitlines()]


def test_every_result_of_a_file_is_a_line_in_its_order(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    outputs = OutputsConfig(jsonl=JsonlConfig(path=str(path)))
    streams = {"street": StreamConfig(source=clip.URI, pace=False)}
    config = Config(streams=streams, policy="lossless", frames=40, outputs=outputs)
    with Engine(config) as engine:
        results = list(engine.results())
    written = lines(path)
    assert [each.seq for each in written] == [each.seq for each in results] == list(range(40))
    for line, result in zip(written, results, strict=True):
        assert np.allclose(
            [row.xyxy for row in line.objects], result.objects.boxes_xyxy.reshape(-1, 4).tolist()
        )
    assert json.loads(path.read_text().splitlines()[0])["stream"] == "street"


def test_a_file_that_is_there_is_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    for number in (1, 2):
        output = opened(path)
        output.publish(make_result(number), counts(number))
        output.close()
    assert [each.counters.published for each in lines(path)] == [1, 2]


def test_files_that_are_full_are_renamed_and_the_oldest_goes(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    sink = JsonLines(path, 5_000, 3)
    for number in range(1, 101):
        sink.write([Published(make_result(number), counts(number))], Pulse({}, 0))
    sink.close()
    names = sorted(file.name for file in tmp_path.iterdir())
    assert names == ["results.1.jsonl", "results.2.jsonl", "results.jsonl"]
    kept = [
        each.counters.published
        for name in ("results.2.jsonl", "results.1.jsonl", "results.jsonl")
        for each in lines(tmp_path / name)
    ]
    assert kept == list(range(kept[0], 101))


def test_a_full_disk_raises_an_alarm_and_stops_nothing(tmp_path: Path) -> None:
    endpoint = f"ipc://{tmp_path}/results"
    outputs = OutputsConfig(zeromq=ZeroMqConfig(endpoint=endpoint), jsonl=JsonlConfig(path=str(FULL)))
    config = Config(streams={"a": StreamConfig(source="test:320x240@30")}, outputs=outputs)
    with Subscriber(endpoint) as subscriber, Engine(config, collect=False):

        def alarm() -> str:
            subscriber.latest()
            return subscriber.health["a"].alarms.get("jsonl", "") if "a" in subscriber.health else ""

        assert wait_until(lambda: "No space left on device" in alarm())
        before = subscriber.stats.received
        assert wait_until(lambda: subscriber.latest() is not None and subscriber.stats.received > before + 20)


def test_writing_goes_on_as_soon_as_it_can(tmp_path: Path) -> None:
    folder = tmp_path / "card"
    output = opened(folder / "results.jsonl")
    output.publish(make_result(1), counts(1))
    assert wait_until(lambda: "No such file or directory" in output.alarm)
    folder.mkdir()
    output.publish(make_result(2), counts(2))
    assert wait_until(lambda: not output.alarm)
    output.close()
    assert [each.counters.published for each in lines(folder / "results.jsonl")] == [2]
    assert output.lost == 1


@pytest.mark.parametrize("waits", [False, True])
def test_a_disk_that_fails_holds_up_nobody(waits: bool) -> None:
    output = opened(FULL, waits=waits)
    for number in range(1, 2_001):
        output.publish(make_result(number), counts(number))
    output.close()
    assert output.lost == 2_000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if made.returncode != 0:
        pytest.skip("may not mount a file system here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def publish_until(output: QueuedOutput, is_so: Callable[[], object], numbers: Iterator[int]) -> bool:
    def once() -> object:
        number = next(numbers)
        output.publish(make_result(number), counts(number))
        return is_so()

    return wait_until(once)


def recovers(output: QueuedOutput, path: Path, numbers: Iterator[int]) -> None:
    """Each line is whole, later results are there, and what is missing is what was counted."""
    assert publish_until(output, lambda: not output.alarm, numbers)
    output.close()
    written = [each.counters.published for each in lines(path)]
    assert written == sorted(set(written))
    assert written[-1] == next(numbers) - 1
    assert len(written) + output.lost == written[-1]


def test_a_disk_that_is_full_is_written_again_once_there_is_room(disk: Path) -> None:
    (disk / "other").write_bytes(bytes(48 * 1024))
    output, numbers = opened(disk / "results.jsonl"), count(1)
    assert publish_until(output, lambda: "No space left on device" in output.alarm, numbers)
    (disk / "other").unlink()
    recovers(output, disk / "results.jsonl", numbers)


def test_a_disk_that_is_read_only_is_written_once_it_is_not(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    output, numbers = opened(disk / "results.jsonl"), count(1)
    assert publish_until(output, lambda: "Read-only file system" in output.alarm, numbers)
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    recovers(output, disk / "results.jsonl", numbers)


def test_a_file_that_may_not_grow_is_an_alarm_until_it_may(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    output, numbers = opened(tmp_path / "results.jsonl"), count(1)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        assert publish_until(output, lambda: "File too large" in output.alarm, numbers)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    recovers(output, tmp_path / "results.jsonl", numbers)


def test_what_takes_nothing_in_is_an_alarm_and_holds_up_no_live_engine(tmp_path: Path) -> None:
    """A pipe that nobody reads, as slow as a disk can be."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    output, numbers = opened(path), count(1)
    assert publish_until(output, lambda: "too slow, results are lost" in output.alarm, numbers)
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(lines, path)
        assert wait_until(lambda: not output.alarm)
        output.close()
        assert len(reading.result()) + output.lost == next(numbers) - 1
