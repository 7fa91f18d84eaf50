"""edge-engine run: real clips, real sockets, another process at the other end."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest

from edge_engine import zoo
from edge_engine.client import Subscriber
from edge_engine.stages.record import STAGES
from tests import clip
from tests.cli.program import assert_one_clear_line, run_program, start_program


def ipc(folder: Path) -> str:
    return f"ipc://{folder}/results"


def test_a_clip_runs_through_the_model_to_a_subscriber_in_another_process(tmp_path: Path) -> None:
    endpoint = ipc(tmp_path)
    listener = start_program("listen", endpoint, "--json", "--count", "25", "--timeout", "60")
    engine = start_program("run", clip.URI, "--loop", "--publish", endpoint, "--seconds", "40")
    out, err = listener.communicate(timeout=90)
    engine.send_signal(signal.SIGINT)
    engine_out, engine_err = engine.communicate(timeout=20)
    assert (listener.returncode, engine.returncode) == (0, 0), (err, engine_err)
    results = [json.loads(line) for line in out.splitlines()]
    assert len(results) == 25
    assert {row["label"] for result in results for row in result["objects"]} & {"person", "car"}
    for result in results:
        counters = result["counters"]
        dropped = sum(counters["dropped"].values())
        assert counters["captured"] == counters["published"] + counters["in_flight"] + dropped
        assert result["captured_ns"] < result["published_ns"] < result["valid_until_ns"]
        assert result["size"] == list(clip.SIZE)
    assert "captured" in engine_out, "a stopped run ends with its summary"
    assert "\x1b" not in engine_out, "no colour when the output is no terminal"


def test_json_is_one_object_on_the_last_line_with_the_documented_keys(tmp_path: Path) -> None:
    done = run_program(
        "run", clip.URI, "--fast", "--policy", "lossless", "--json", "--publish", ipc(tmp_path)
    )
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    summary = json.loads(line)
    assert set(summary) == {"streams", "model", "provider", "seconds"}
    stream = summary["streams"]["main"]
    assert (stream["captured"], stream["published"], stream["in_flight"]) == (250, 250, 0)
    assert stream["dropped"] == {}
    assert set(stream["latency_ms"]) == {"p50", "p90", "p99", "max"}
    assert set(stream["stages_ms"]) == set(STAGES)
    assert all(set(stage) == {"p50", "p99"} for stage in stream["stages_ms"].values())
    assert (summary["model"], summary["provider"]) == ("nanodet-g-416-int8", "cpu")
    assert stream["fps"] > 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly_with_a_summary(number: signal.Signals, tmp_path: Path) -> None:
    with Subscriber(ipc(tmp_path)) as subscriber:
        engine = start_program("run", "test:", "--publish", ipc(tmp_path), "--json")
        assert next(subscriber.results(timeout_s=60)).stream == "main"
        engine.send_signal(number)
        started = time.monotonic()
        out, err = engine.communicate(timeout=20)
    assert time.monotonic() - started < 3
    assert engine.returncode == 0, err
    assert json.loads(out)["streams"]["main"]["in_flight"] == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("after_s", [0.1, 0.3, 0.6])
def test_a_signal_during_the_start_ends_it_without_a_traceback(
    number: signal.Signals, after_s: float, tmp_path: Path
) -> None:
    engine = start_program("run", "test:", "--publish", ipc(tmp_path))
    time.sleep(after_s)
    engine.send_signal(number)
    out, err = engine.communicate(timeout=20)
    assert "Traceback" not in out + err
    assert engine.returncode == 0 or after_s < 0.2, "before Python itself runs, the system ends it"


def test_a_corrupt_picture_is_counted_and_named(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(b"\xff\xd8 no picture")
    cv2.imwrite(str(tmp_path / "2.png"), np.zeros((48, 64, 3), np.uint8))
    done = run_program("run", str(tmp_path), "--policy", "lossless", "--json", "--publish", ipc(tmp_path))
    assert done.returncode == 0, done.stderr
    stream = json.loads(done.stdout)["streams"]["main"]
    assert (stream["captured"], stream["published"], stream["dropped"]) == (2, 1, {"corrupt": 1})
    assert "1.jpg" in stream["reasons"]["corrupt"]
    assert "main: a frame was dropped as corrupt" in done.stderr


def test_frames_and_seconds_end_a_run(tmp_path: Path) -> None:
    done = run_program("run", "test:", "--fast", "--frames", "7", "--json", "--publish", ipc(tmp_path))
    assert json.loads(done.stdout)["streams"]["main"]["captured"] == 7
    done = run_program("run", "test:", "--seconds", "0.5", "--json", "--publish", ipc(tmp_path))
    assert json.loads(done.stdout)["seconds"] < 5


def make_bad_models(folder: Path) -> dict[str, Path]:
    good = zoo.find_model("nanodet-g").read_bytes()
    files = {
        name: folder / f"{name}.onnx" for name in ("empty", "truncated", "text", "opset", "bare", "folder")
    }
    files["empty"].write_bytes(b"")
    files["truncated"].write_bytes(good[: len(good) // 2])
    files["text"].write_text("this is no model\n")
    model = onnx.load_from_string(good)
    model.opset_import[0].version = 999
    onnx.save(model, files["opset"])
    model = onnx.load_from_string(good)
    del model.metadata_props[:]
    del model.graph.output[1:]  # with all of them it would be known for a NanoDet
    onnx.save(model, files["bare"])
    files["folder"].mkdir()
    return files


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("empty", "empty"),
        ("truncated", "cut short"),
        ("text", "not a"),
        ("opset", "opset"),
        ("bare", "metadata"),
        ("folder", "directory"),
    ],
)
def test_a_bad_model_is_one_line_and_exit_2(kind: str, word: str, tmp_path: Path) -> None:
    path = make_bad_models(tmp_path)[kind]
    done = run_program("run", "test:", "--model", str(path), "--publish", ipc(tmp_path))
    lines = done.stderr.splitlines()
    assert_one_clear_line(done, 2, str(path), word)
    assert len(lines[0]) < 500


def test_a_zoo_model_that_does_not_exist_is_one_line_and_exit_2() -> None:
    assert_one_clear_line(run_program("run", "test:", "--model", "nanodet-x"), 2, "nanodet-x", "nanodet-g")


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("no-such-file.mp4", 3),
        ("no-such-config.yaml", 2),
        ("README.md", 3),
        ("package:no_such_package/clip.mp4", 3),
        ("test:0x0", 2),
        ("gopher://camera", 2),
        ("/dev/video99", 3),
    ],
)
def test_a_bad_source_is_one_line_with_its_exit_code(source: str, code: int, tmp_path: Path) -> None:
    assert_one_clear_line(run_program("run", source, "--publish", ipc(tmp_path), "--json"), code)


def test_a_taken_endpoint_is_one_line_and_exit_2() -> None:
    done = run_program("run", "test:", "--publish", "tcp://192.0.2.1:5555")
    assert_one_clear_line(done, 2, "192.0.2.1")


@pytest.mark.parametrize("arguments", [["--policy", "fastest"], ["--hint", "both"], ["--publish", "nowhere"]])
def test_an_impossible_option_is_exit_2_without_a_traceback(arguments: list[str]) -> None:
    done = run_program("run", "test:", *arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert arguments[1] in done.stderr


def test_without_a_runtime_the_line_says_which_extra_to_install(tmp_path: Path) -> None:
    (tmp_path / "onnxruntime.py").write_text("raise ImportError('No module named onnxruntime')\n")
    done = run_program("run", "test:", "--publish", ipc(tmp_path), PYTHONPATH=str(tmp_path))
    assert_one_clear_line(done, 4, "edge-engine[cpu]", "edge-engine[gpu]")
