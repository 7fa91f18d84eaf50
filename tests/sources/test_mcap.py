"""Recordings as a source: their frames, their own time, and files that are none."""

from __future__ import annotations

from pathlib import Path

import pytest
from mcap.writer import Writer

from edge_engine.clock import NS_PER_S
from edge_engine.errors import ConfigError, SourceError
from edge_engine.sources import make_source
from edge_engine.sources.source import Grab
from tests import clip
from tests.recording.streets import record_street


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record_street(tmp_path_factory.mktemp("recordings") / "street.mcap", "front", "rear", frames=12)


def grabs(uri: str, most: int = 100, *, loop: bool = False, pace: bool = False) -> list[Grab]:
    source = make_source(uri, pace=pace, loop=loop)
    source.open()
    found = [grab for _ in range(most) if (grab := source.read()) is not None]
    source.close()
    return found


@pytest.mark.parametrize("written", ["mcap:{}?stream=front", "{}?stream=rear"])
def test_a_stream_s_frames_come_with_their_own_time(street: Path, written: str) -> None:
    found = grabs(written.format(street))
    assert [grab.media_ns for grab in found] == [n * NS_PER_S // clip.FPS for n in range(12)]
    assert all(grab.pixels.size == clip.SIZE for grab in found)
    stamps = [grab.captured_utc_ns for grab in found]
    assert stamps == sorted(stamps)


def test_the_size_is_known_before_it_is_opened(street: Path) -> None:
    assert make_source(f"{street}?stream=front", pace=False, loop=False).expected_size() == clip.SIZE
    assert make_source("mcap:nowhere.mcap", pace=False, loop=False).expected_size() is None


def test_paced_frames_follow_each_other_as_they_were_captured(street: Path) -> None:
    stamps = [grab.captured_ns for grab in grabs(f"{street}?stream=front", pace=True)]
    assert stamps[-1] - stamps[0] >= 11 * NS_PER_S // clip.FPS - NS_PER_S // 100


def test_looped_its_time_goes_on_without_a_gap(street: Path) -> None:
    media_ns = [grab.media_ns for grab in grabs(f"{street}?stream=front", 30, loop=True)]
    assert media_ns == [n * NS_PER_S // clip.FPS for n in range(30)]


def test_a_name_with_a_question_mark_is_a_name(street: Path) -> None:
    odd = street.with_name("which?stream=one.mcap")
    odd.write_bytes(street.read_bytes())
    assert len(grabs(f"mcap:{odd}?stream=front")) == 12


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("mcap:{}?stream=left", "no stream 'left'; those it has: front, rear"),
        ("{}", r"holds front, rear; expected \?stream="),
        ("mcap:nowhere.mcap", "can't be read: No such file"),
    ],
)
def test_what_isnt_there_is_one_line(street: Path, uri: str, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        grabs(uri.format(street))


def test_an_unknown_option_is_refused(street: Path) -> None:
    with pytest.raises(ConfigError, match="option 'speed' is unknown; known: stream"):
        make_source(f"{street}?speed=2", pace=False, loop=False)


@pytest.mark.parametrize(
    "data", [b"", b"\x89MCAP0\r\n", b"\x89MCAP0\r\n" + bytes(100), b"no recording at all"]
)
def test_a_file_that_is_no_mcap_is_one_line(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.mcap").write_bytes(data)
    with pytest.raises(SourceError, match="is no MCAP file that can be read"):
        grabs(str(tmp_path / "a.mcap"))


def test_an_mcap_of_something_else_is_one_line(tmp_path: Path) -> None:
    with (tmp_path / "a.mcap").open("wb") as file:
        writer = Writer(file)
        writer.start()
        channel = writer.register_channel("/imu", "json", 0)
        writer.add_message(channel, 1, b"{}", 1)
        writer.finish()
    with pytest.raises(SourceError, match="no recording of edge-engine's: it holds /imu"):
        grabs(str(tmp_path / "a.mcap"))
