"""`edge-engine tune`: a real search on one core, and `hint: auto` that goes by it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.program import assert_one_clear_line, on_one_core, own_cache, run_program


def test_what_is_found_is_kept_and_used(tmp_path: Path) -> None:
    cache = own_cache(tmp_path)
    file = ("run", "test:320x240@30", "--frames", "5", "--policy", "lossless")
    with on_one_core():
        quick = ("--goal", "throughput", "--rounds", "1", "--seconds", "1")
        done = run_program("tune", "test:320x240@30", *quick, "--json", **cache)
        by_itself = run_program(*file, **cache)
        as_told = run_program(*file, "--hint", "throughput", **cache)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    goal = report["goals"]["throughput"]
    losses = [trial["loss"] for trial in goal["trials"]]
    assert losses == sorted(losses)
    assert losses[0] == 0
    assert goal["plain_loss"] is not None
    assert {trial["setting"]["optimisation"] for trial in goal["trials"]} == {"all", "extended", "basic"}
    assert all(trial["values"][0] > 0 and trial["cpu_ms"] > 0 for trial in goal["trials"])
    assert json.loads(Path(report["kept_in"]).read_text())["best"] == {"throughput": goal["winner"]}
    assert "the worst choice" in done.stderr
    assert "(tuned for throughput)" in by_itself.stdout
    assert "tuned" not in as_told.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (("--goal", "speed"), 2, "--goal speed: expected latency, throughput or both"),
        (("--provider", "warp"), 4, "provider 'warp' is not known"),
        (("--model", "no-such"), 2, "neither a file nor in the zoo"),
        (("nowhere.mp4",), 3, "nowhere.mp4"),
    ],
)
def test_what_cannot_be_tuned_is_one_line(
    tmp_path: Path, arguments: tuple[str, ...], code: int, line: str
) -> None:
    assert_one_clear_line(run_program("tune", *arguments, **own_cache(tmp_path)), code, line)
