"""record and replay, as a user runs them: other processes, exit codes, one line for each failure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edge_engine.replay.survey import survey
from tests.cli.program import assert_one_clear_line, run_program
from tests.recording.streets import record_street


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty frames, tracked."""
    return record_street(tmp_path_factory.mktemp("recordings") / "street.mcap")


def report_of(file: Path, *options: str, code: int = 0) -> dict[str, Any]:
    done = run_program("replay", str(file), "--check", "--json", *options)
    assert done.returncode == code, done.stderr
    read: dict[str, Any] = json.loads(done.stdout)
    return read


def test_a_recording_says_what_it_said(street: Path) -> None:
    done = run_program("replay", str(street), "--check")
    assert done.returncode == 0, done.stderr
    assert "replayed 40 frames with nanodet-g-416-int8" in done.stdout
    assert done.stdout.rstrip().endswith("says what was recorded")


def test_another_threshold_is_drift(street: Path, tmp_path: Path) -> None:
    html = tmp_path / "drift.html"
    report = report_of(street, "--threshold", "0.6", "--html", str(html), code=1)
    assert report["has_drifted"] is True
    assert report["streams"]["street"]["kinds"]["missing"] > 0
    assert report["worst"][0]["what"]
    assert html.read_text().count("data:image/jpeg") == 2 * len(report["worst"])


def test_another_model_s_drift_is_told_with_its_worst_frames(street: Path) -> None:
    done = run_program("replay", str(street), "--check", "--model", "blazeface")
    assert done.returncode == 1
    assert "street: was recorded with nanodet-g-416-int8" in done.stdout
    assert "street frame " in done.stdout
    assert done.stdout.rstrip().endswith("drifted")


def test_what_is_recorded_can_be_recorded_again(street: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.mcap"
    endpoint = f"ipc://{tmp_path}/results"
    arguments = ("--fast", "--policy", "lossless", "--frames", "every:5", "--publish", endpoint, "--json")
    done = run_program("record", str(street), "-o", str(file), *arguments)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["streams"]["main"]["published"] == 40
    again = tmp_path / "b.mcap"
    first = report_of(file, "-o", str(again))["streams"]["main"]
    assert (first["frames"], first["compared"], first["drifted"]) == (8, 8, 0)
    assert [len(each.seqs) for each in survey(again).streams.values()] == [8]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("replay", "nowhere.mcap"), 3, ("nowhere.mcap", "No such file")),
        (("replay", "README.md"), 3, ("README.md", "no MCAP file")),
        (("replay", "README.md", "--html", "a.html"), 2, ("--check",)),
        (("record", "test:", "-o", "nowhere/a.mcap"), 2, ("--out", "no such folder nowhere")),
        (("record", "test:", "-o", "a.mcap", "--frames", "5"), 2, ("frames", "all, every:N or none")),
    ],
)
def test_bad_usage_is_one_line(arguments: tuple[str, ...], code: int, words: tuple[str, ...]) -> None:
    assert_one_clear_line(run_program(*arguments), code, *words)
