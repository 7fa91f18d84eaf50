"""`edge-engine bench`, as a person or a program uses it: real runs, real reports."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import msgspec
import pytest

from edge_engine.bench.compare import compare
from edge_engine.bench.report import Report
from edge_engine.zoo import entries
from tests.cli.program import assert_one_clear_line, run_program

LIVE = ("bench", "test:320x240@40", "--scenario", "single-stream", "--seconds", "3", "--warmup", "0.5")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Reports of a live run with a page, and of an offline run."""
    folder = tmp_path_factory.mktemp("bench")
    live = run_program(*LIVE, "--json", str(folder / "live.json"), "--html", str(folder / "live.html"))
    assert live.returncode == 0, live.stderr
    (folder / "live.txt").write_text(live.stdout)
    # The warm-up is a pass over both clips, so that the decoders have seen their largest packets.
    offline = run_program("bench", "--seconds", "3", "--warmup", "8", "--streams", "2", "--json", "-")
    assert offline.returncode == 0, offline.stderr
    (folder / "offline.json").write_text(offline.stdout)
    return folder


def _report(folder: Path, name: str) -> Report:
    return msgspec.json.decode((folder / f"{name}.json").read_bytes(), type=Report)


@pytest.mark.parametrize("name", ["live", "offline"])
def test_a_report_adds_up(folder: Path, name: str) -> None:
    report = _report(folder, name)
    assert report.subject.sha256 == entries()["nanodet-g"].sha256
    assert report.efficiency == pytest.approx(report.fps / report.limit_fps)
    assert report.limit_fps == pytest.approx(report.machine.cores * 1000 / sum(report.alone.cpu_ms.values()))
    assert report.fps == pytest.approx(sum(stream.fps for stream in report.streams.values()))
    for stage in report.stages.values():
        assert stage.input + stage.working + stage.room == pytest.approx(1)
        assert min(stage.input, stage.working, stage.room) >= 0
        assert 0 < stage.wall_ms.p50 <= stage.wall_ms.p90 <= stage.wall_ms.p99 <= stage.wall_ms.p999
    assert len(report.samples) >= 2
    assert report.seconds >= 2.5


def test_nothing_of_frame_size_is_allocated_while_it_runs(folder: Path) -> None:
    for name in ("live", "offline"):
        report = _report(folder, name)
        assert report.frame_allocations in (0, None)


def test_a_live_run_is_seen_from_the_subscribers_side(folder: Path) -> None:
    report = _report(folder, "live")
    assert report.receipt is not None
    assert report.receipt.received >= 0.8 * sum(stream.published for stream in report.streams.values())
    assert report.receipt.age_mean_ms > report.receipt.latency_ms.p50, "it ages until the next one comes"
    assert report.receipt.age_peak_ms.p50 > report.receipt.age_mean_ms
    assert set(report.streams) == {"main"}
    assert report.subject.policy == "live"


def test_an_offline_run_loses_nothing(folder: Path) -> None:
    report = _report(folder, "offline")
    assert set(report.streams) == {"main-1", "main-2"}
    assert all(not stream.dropped for stream in report.streams.values())
    assert report.receipt is None
    assert report.subject.policy == "lossless"
    assert report.bottleneck


def test_the_screen_names_what_people_look_for(folder: Path) -> None:
    text = (folder / "live.txt").read_text()
    for expected in (
        "90th percentile of latency",
        "efficiency",
        "bottleneck: ",
        "age of information",
        "throttled",
    ):
        assert expected in text


def test_the_page_is_whole_and_needs_nothing_else(folder: Path) -> None:
    page = (folder / "live.html").read_text()
    assert "http" not in page
    assert "<script" not in page
    plots = [part.partition("</svg>")[0] + "</svg>" for part in page.split("<svg")[1:]]
    assert len(plots) >= 5
    for plot in plots:
        ET.fromstring(f"<svg{plot}")


def test_a_report_compared_with_itself_is_one(folder: Path) -> None:
    report = _report(folder, "offline")
    comparison = compare(report, report)
    assert comparison.differences == []
    for ratio in comparison.ratios:
        assert ratio.ratio == 1
        assert ratio.low <= 1 <= ratio.high


def test_a_twice_as_fast_report_is_two_and_what_else_differs_is_told(folder: Path) -> None:
    one = _report(folder, "offline")
    samples = [msgspec.structs.replace(sample, fps=2 * sample.fps) for sample in one.samples]
    cuda = msgspec.structs.replace(one.subject.setting, provider="cuda")
    other = msgspec.structs.replace(
        one, samples=samples, subject=msgspec.structs.replace(one.subject, setting=cuda)
    )
    comparison = compare(one, other)
    (fps,) = (ratio for ratio in comparison.ratios if ratio.what == "frames/s")
    assert fps.ratio == pytest.approx(2)
    assert comparison.differences == [f"setting: {one.subject.setting} against {cuda}"]


def test_compare_prints_the_ratios(folder: Path) -> None:
    done = run_program("bench", "--compare", str(folder / "live.json"), str(folder / "offline.json"))
    assert done.returncode == 0
    assert "frames/s" in done.stdout
    assert "not the same: scenario: single-stream against offline" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (("--scenario", "server"), 2, "--scenario server: expected one of single-stream"),
        (("--scenario", "single-stream", "--streams", "2"), 2, "expected one stream, found 2"),
        (("--model", "no-such"), 2, "neither a file nor in the zoo"),
        (("nowhere.mp4",), 3, "nowhere.mp4"),
        (("--compare", "a.json", "b.json"), 2, "a.json: can't be read"),
        (("--hint", "warp"), 2, "hint: expected"),
    ],
)
def test_what_cannot_be_measured_is_one_line(arguments: tuple[str, ...], code: int, line: str) -> None:
    done = run_program("bench", *arguments)
    assert_one_clear_line(done, code, line)


def test_a_subject_that_cannot_start_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(
        json.dumps({"streams": {"a": {"source": "test:64x48@30"}}, "realtime": {"cores": [4000]}})
    )
    done = run_program("bench", str(tmp_path / "x.yaml"))
    assert_one_clear_line(done, 2, "realtime.cores: expected some of the cores")
