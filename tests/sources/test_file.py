from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from edge_engine.errors import CorruptFrameError, SourceError
from edge_engine.sources import file as file_module
from edge_engine.sources import make_source
from edge_engine.sources.clip import Clip
from tests import clip
from tests.sources.made import make_video, opened, read_all, shade, shades

MS = 1_000_000


def due_ms(path: Path, count: int, passes: int = 1) -> list[float]:
    """When each picture is due, over so many passes."""
    reader = Clip(str(path), path.name)
    times = []
    for number in range(passes):
        if number:
            reader.rewind()
        for _ in range(count):
            times.append(reader.due_ns / MS)
            assert reader.decode() is not None
        assert reader.decode() is None
    reader.close()
    return times


def test_the_street_clip_gives_each_frame_once_and_twice_the_same() -> None:
    first, second = (read_all(opened(clip.URI)) for _ in range(2))
    assert len(first) == len(second) == clip.FRAMES
    assert all(
        np.array_equal(one.pixels.bgr(), other.pixels.bgr()) for one, other in zip(first, second, strict=True)
    )
    assert {grab.pixels.size for grab in first} == {clip.SIZE}


def test_the_street_clip_is_due_at_25_fps() -> None:
    times = due_ms(clip.clip_path(), clip.FRAMES, passes=2)
    assert times == [40.0 * number for number in range(2 * clip.FRAMES)]


def test_a_looped_file_follows_on_itself_without_loss() -> None:
    grabs = read_all(opened(clip.URI, loop=True), 2 * clip.FRAMES)
    assert len(grabs) == 2 * clip.FRAMES
    stamps = [grab.captured_ns for grab in grabs]
    assert stamps == sorted(stamps)
    for one in (0, 1, 248, 249):
        assert np.array_equal(grabs[one].pixels.bgr(), grabs[one + clip.FRAMES].pixels.bgr())


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt", "container"),
    [
        ("a.mp4", "libx264", "yuv420p", None),  # B-frames: shown in another order than stored
        ("a.ts", "libx264", "yuv420p", None),  # stamps don't start at 0
        ("a.h264", "libx264", "yuv420p", "h264"),  # no stamps at all, and no seeking
        ("a.avi", "mjpeg", "yuvj420p", None),  # full range
        ("a.webm", "libvpx-vp9", "yuv420p", None),
        ("a.mkv", "libx264", "yuv444p", None),
        ("a.mpg", "mpeg2video", "yuv420p", None),  # its own stamps skip one step near the end
    ],
)
def test_every_container_and_codec_loops_in_order(
    tmp_path: Path, name: str, codec: str, pix_fmt: str, container: str | None
) -> None:
    path = make_video(tmp_path / name, codec, pix_fmt=pix_fmt, container=container)
    grabs = read_all(opened(path, loop=True), 40)
    assert shades(grabs) == pytest.approx([shade(number % 20) for number in range(40)], abs=4)
    first, second = np.split(np.array(due_ms(path, 20, passes=2)), 2)
    assert first[:17] == pytest.approx([40.0 * number for number in range(17)], abs=1)
    assert second - first == pytest.approx(first[-1] + 40, abs=1)


@pytest.mark.parametrize("size", [(65, 49), (2, 2), (127, 33)])
def test_odd_sizes_are_kept(tmp_path: Path, size: tuple[int, int]) -> None:
    path = make_video(tmp_path / "odd.mkv", "ffv1", size, pix_fmt="bgr0")
    grabs = read_all(opened(path))
    assert len(grabs) == 20
    assert {grab.pixels.size for grab in grabs} == {size}


@pytest.mark.parametrize(("name", "codec"), [("v.mkv", "libvpx-vp9"), ("v.mp4", "libx264")])
def test_a_variable_rate_is_kept(tmp_path: Path, name: str, codec: str) -> None:
    times = [0, 10, 200, 210, 220, 1000, 1033, 5000, 5001, 5500]
    path = make_video(tmp_path / name, codec, times_ms=times)
    assert due_ms(path, len(times)) == pytest.approx(times, abs=1)


def test_a_break_in_the_stamps_is_one_step(tmp_path: Path) -> None:
    path = make_video(tmp_path / "gap.mkv", "libvpx-vp9", times_ms=[0, 40, 80, 3_600_000, 3_600_040])
    times = due_ms(path, 5)
    assert times[:3] == [0, 40, 80]
    assert 80 < times[3] < 10_080
    assert times[4] - times[3] == pytest.approx(40)


def test_paced_pictures_are_never_early(tmp_path: Path) -> None:
    times = [0, 20, 100, 110, 150]
    path = make_video(tmp_path / "v.mkv", times_ms=times)
    stamps = [grab.captured_ns for grab in read_all(opened(path, pace=True))]
    for stamp, time in zip(stamps, times, strict=True):
        assert stamp - stamps[0] >= (time - 5) * MS  # the first may itself be a little late


def test_a_paced_picture_is_stamped_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    source = opened(clip.URI, pace=True)
    events: list[str] = []
    decode = Clip.decode
    monkeypatch.setattr(Clip, "decode", lambda self: (events.append("decode"), decode(self))[1])
    monkeypatch.setattr(file_module, "monotonic_ns", lambda: (events.append("stamp"), 7)[1])
    grabs = read_all(source, 3)
    assert [grab.captured_ns for grab in grabs] == [7, 7, 7]
    assert events == ["stamp", "decode"] * 3


def test_an_interrupt_ends_reading() -> None:
    source = opened(clip.URI, pace=True, loop=True)
    assert source.read() is not None
    source.interrupt()
    assert source.read() is None
    source.close()
    source.close()


def truncated(path: Path) -> None:
    """The clip without its end, where an MP4 keeps its index."""
    data = clip.clip_path().read_bytes()
    assert data.find(b"moov") > len(data) // 2
    path.write_bytes(data[: len(data) // 2])


def without_video(path: Path) -> None:
    with av.open(str(path), "w", format="wav") as output:
        stream = output.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), "s16", "mono")
        frame.sample_rate = 8000
        output.mux(stream.encode(frame))
        output.mux(stream.encode())


def of_an_unknown_codec(path: Path) -> None:
    data = make_video(path, "mjpeg", pix_fmt="yuvj420p").read_bytes()
    path.write_bytes(data.replace(b"MJPG", b"ZZZZ"))


@pytest.mark.parametrize(
    ("name", "make", "says"),
    [
        ("none.mp4", lambda path: None, "No such file"),
        ("empty.mp4", lambda path: path.touch(), "the file is empty"),
        ("text.mp4", lambda path: path.write_text("hello\n" * 100), "not a video, or one cut short"),
        ("text.txt", lambda path: path.write_text("hello\n" * 100), "a text file; expected a video file"),
        ("cut.mp4", truncated, "not a video, or one cut short"),
        ("sound.wav", without_video, "no video in it, only audio"),
        ("odd.avi", of_an_unknown_codec, "of a kind that this FFmpeg can't decode"),
    ],
)
def test_what_is_no_video_is_one_line(tmp_path: Path, name: str, make: object, says: str) -> None:
    path = tmp_path / name
    make(path)  # type: ignore[operator]
    with pytest.raises(SourceError, match=says) as caught:
        opened(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_title_in_an_old_encoding_is_no_obstacle(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv")
    data = path.read_bytes()
    assert b"Lavf" in data
    path.write_bytes(data.replace(b"Lavf", b"Caf\xe9"))
    assert len(read_all(opened(path))) == 20


def test_a_folder_in_a_files_place_is_one_line(tmp_path: Path) -> None:
    source = make_source(str(tmp_path / "a.mp4"), pace=False, loop=False)
    (tmp_path / "a.mp4").mkdir()
    with pytest.raises(SourceError, match="Is a directory"):
        source.open()


def damage(path: Path, every: int) -> None:
    """Overwrites the insides of pictures in an AVI of JPEGs, leaving its index whole."""
    data = bytearray(path.read_bytes())
    starts = [match.start() for match in re.finditer(b"\xff\xd8", data)]
    for start in starts[::every]:
        data[start + 20 : start + 600] = bytes(580)
    path.write_bytes(data)


def read_with_errors(uri: Path) -> tuple[int, int]:
    """(pictures, errors) until the end."""
    source, pictures, errors = opened(uri), 0, 0
    while True:
        try:
            if source.read() is None:
                return pictures, errors
            pictures += 1
        except CorruptFrameError:
            errors += 1


def test_damaged_pictures_are_counted_and_reading_goes_on(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.avi", "mjpeg", pix_fmt="yuvj420p")
    damage(path, every=4)
    assert read_with_errors(path) == (15, 5)


def test_a_file_that_is_damaged_throughout_is_lost(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.avi", "mjpeg", pix_fmt="yuvj420p")
    damage(path, every=1)
    with pytest.raises(SourceError, match="its mjpeg video has no picture"):
        read_with_errors(path)
    path = make_video(tmp_path / "b.avi", "mjpeg", pix_fmt="yuvj420p", times_ms=list(range(0, 6000, 40)))
    damage(path, every=1)
    with pytest.raises(SourceError, match="100 errors in a row"):
        read_with_errors(path)


def test_ffmpeg_says_nothing_itself(tmp_path: Path) -> None:
    path = tmp_path / "damaged.mp4"
    data = bytearray(clip.clip_path().read_bytes())
    data[20_000:200_000:50] = bytes(len(range(20_000, 200_000, 50)))
    path.write_bytes(data)
    program = (
        "from tests.sources.test_file import read_with_errors\n"
        "import sys\n"
        "print(sum(read_with_errors(sys.argv[1])))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stderr == ""
    assert int(done.stdout) > 100
