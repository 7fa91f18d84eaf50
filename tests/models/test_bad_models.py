"""Bad models end the command line in one line with exit 2, or work: no crash, no hang, nothing filled."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from edge_engine.errors import ModelError
from edge_engine.models.repair import repaired
from tests.cli.program import ROOT, assert_one_clear_line, run_program
from tests.models.bad import mutated
from tests.models.crafted import FILES, GRAPHS, HARMLESS
from tests.models.exported import exported
from tests.models.soak import base_models
from tests.models.trying import Outcome

MUTATIONS = 24
# Each takes the whole time that a model is given; the soak has them too, this has one like them.
SLOW = {"an endless loop of constants", "a cycle of movers"}
TOLD = {
    "a Git LFS pointer": "git lfs pull",
    "a TFLite model": "tf2onnx",
    "3 GB of zeros": "larger than 2 GiB",
    "a device": "found a directory or a device",
    "a sidecar that laughs": "anchors and aliases",
    "an endless loop": "took much longer to try than its size explains",
    "NaN outputs": "aren't finite",
    "infinite outputs": "aren't finite",
    "external data above": "outside the directory",
    "external data behind a link": "symbolic link",
    "an input of rank 3": "expected an input of 4 dimensions, found 3",
    "no opset": "doesn't say which opset",
    "weights of an unknown type": "unknown 77",
}


def made(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every crafted file, and some mutated ones, by name."""
    for i, (name, craft) in enumerate((FILES | GRAPHS | HARMLESS).items()):
        if name not in SLOW:
            (folder / str(i)).mkdir()
            yield name, craft(folder / str(i))
    bases = [path.read_bytes() for path in base_models(folder)]
    for i in range(MUTATIONS):
        rng = random.Random(f"quick/{i}")
        path = folder / f"mutation {i}.onnx"
        path.write_bytes(mutated(rng, rng.choice(bases)))
        yield path.stem, path


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """How `edge-engine run` ended on each; two processes share the work."""
    folder = tmp_path_factory.mktemp("bad")
    files = dict(made(folder))
    names, paths = list(files), [str(path) for path in files.values()]
    command = [sys.executable, "-m", "tests.models.trying"]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) for _ in range(2)
    ]
    for process, share in zip(started, (paths[::2], paths[1::2]), strict=True):
        assert process.stdin is not None
        process.stdin.write("".join(f"{path}\n" for path in share).encode())
        process.stdin.close()
    found = {}
    for process in started:
        with process:
            assert process.stdout is not None
            for line in process.stdout:
                outcome = msgspec.json.decode(line, type=Outcome)
                found[outcome.path] = outcome
        assert process.returncode == 0
    return {name: found[path] for name, path in zip(names, paths, strict=True)}


@pytest.mark.parametrize("name", sorted({*FILES, *GRAPHS} - SLOW))
def test_a_bad_file_is_one_line_and_exit_2(name: str, outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes[name]
    assert (outcome.code, outcome.fault(float("inf"))) == (2, None), outcome.err
    assert TOLD.get(name, "") in outcome.err


@pytest.mark.parametrize("name", HARMLESS)
def test_an_odd_file_that_works_is_run(name: str, outcomes: dict[str, Outcome]) -> None:
    assert outcomes[name].code == 0, outcomes[name].err


@pytest.mark.parametrize("i", range(MUTATIONS))
def test_a_mutated_file_is_one_line_or_works(i: int, outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes[f"mutation {i}"]
    assert outcome.fault(float("inf")) is None, outcome.err


@pytest.mark.parametrize("command", ["run", "inspect", "bench", "eval"])
def test_every_command_says_so(command: str, tmp_path: Path) -> None:
    """The real one, in a real process: an engine that loaded such a file itself would be gone."""
    path = GRAPHS["an endless loop" if command == "run" else "NaN outputs"](tmp_path)
    (tmp_path / "pictures" / "cats").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "pictures" / "cats" / "cat.png"), np.zeros((8, 8, 3), np.uint8))
    arguments = {
        "run": ["test:320x240@30", "--frames", "3", "--model", str(path)],
        "inspect": [str(path)],
        "bench": ["test:320x240@30", "--seconds", "2", "--model", str(path)],
        "eval": [str(path), str(tmp_path / "pictures")],
    }[command]
    done = run_program(command, *arguments)
    assert_one_clear_line(done, 2, str(path))


def test_what_was_proved_is_not_proved_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_engine.models.repair.cache_folder", lambda: tmp_path / "cache")
    path = exported(tmp_path / "x.onnx")
    first = repaired(path)
    monkeypatch.setattr("edge_engine.models.repair.subprocess", None)
    assert repaired(path) == first


def test_a_file_that_fails_leaves_nothing_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_engine.models.repair.cache_folder", lambda: tmp_path / "cache")
    path = GRAPHS["NaN outputs"](tmp_path)
    with pytest.raises(ModelError):
        repaired(path)
    assert not (tmp_path / "cache").exists()
