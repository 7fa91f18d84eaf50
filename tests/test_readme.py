"""README: every command and every program printed there is run here, as a reader would."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge_engine import Controller, Subscriber
from tests import clip
from tests.cli.program import (
    PROGRAM,
    ROOT,
    assert_one_clear_line,
    on_one_core,
    own_cache,
    run_program,
    start_program,
)
from tests.evaluation import street
from tests.quantization import nets

README = (ROOT / "README.md").read_text()
ENDPOINT = "tcp://127.0.0.1:5555"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def commands() -> set[str]:
    lines = [line.partition("#")[0].strip() for block in blocks("sh") for line in block.splitlines()]
    return {line for line in lines if line}


@pytest.fixture
def demo() -> Iterator[subprocess.Popen[str]]:
    """`edge-engine run configs/demo.yaml`, running; the reader's first terminal."""
    engine = start_program("run", "configs/demo.yaml")
    with Subscriber(ENDPOINT) as subscriber:
        assert next(subscriber.results(timeout_s=60), None), "nothing within a minute"
    yield engine
    engine.send_signal(signal.SIGINT)
    out, err = engine.communicate(timeout=20)
    assert engine.returncode == 0, err
    assert "captured" in out


def run_the_demo(_: Path) -> None:
    """As make starts it, in a process group of its own, ended as Ctrl-C would."""
    with Subscriber(ENDPOINT) as subscriber, make_demo() as engine:
        assert any(result.objects for result in subscriber.results(timeout_s=300))
        os.killpg(engine.pid, signal.SIGINT)
        out, _err = engine.communicate(timeout=20)
    assert "edge-engine listen tcp://127.0.0.1:5555" in out
    assert "captured" in out


def make_demo() -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["make", "demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )


def run_a_camera_that_is_not_there(_: Path) -> None:
    if Path("/dev/video0").exists():
        assert run_program("run", "0", "--frames", "1").returncode == 0
    else:
        assert_one_clear_line(run_program("run", "0", "--json"), 3, "/dev/video0")


def run_a_file(folder: Path) -> None:
    street = folder / "street.mp4"
    shutil.copy(clip.clip_path(), street)
    done = run_program("run", str(street), "--fast", "--policy", "lossless", "--json")
    assert json.loads(done.stdout)["streams"]["main"]["published"] == clip.FRAMES


def run_a_file_for_some_classes(folder: Path) -> None:
    command = next(line for line in commands() if "--classes" in line)
    street, endpoint = folder / "street.mp4", f"ipc://{folder}/results"
    shutil.copy(clip.clip_path(), street)
    listener = start_program("listen", endpoint, "--json", "--count", "9", "--timeout", "60")
    options = command.removeprefix("edge-engine run street.mp4").split()
    done = run_program("run", str(street), *options, "--publish", endpoint, "--loop", "--seconds", "3")
    assert done.returncode == 0, done.stderr
    out, _ = listener.communicate(timeout=60)
    rows = [row for line in out.splitlines() for row in json.loads(line)["objects"]]
    assert {row["label"] for row in rows} <= {"person", "car"}
    assert all(row["score"] >= (0.5 if row["label"] == "person" else 0.3) for row in rows)


def run_a_file_with_tracking(folder: Path) -> None:
    street, endpoint = folder / "street.mp4", f"ipc://{folder}/results"
    shutil.copy(clip.clip_path(), street)
    engine = start_program("run", str(street), "--track", "--publish", endpoint, "--loop")
    with Subscriber(endpoint) as subscriber:
        rows = next(result.objects for result in subscriber.results(timeout_s=60) if result.objects)
    engine.send_signal(signal.SIGINT)
    engine.communicate(timeout=20)
    assert all(row.track_id is not None and row.track_id >= 1 for row in rows)


def listen_to_ten(_: Path) -> None:
    engine = start_program("run", "configs/demo.yaml")
    done = run_program("listen", ENDPOINT, "--json", "--count", "10")
    engine.send_signal(signal.SIGINT)
    engine.communicate(timeout=20)
    assert len(done.stdout.splitlines()) == 10


def record_and_replay(folder: Path) -> None:
    """As printed, with a pattern for the camera, each of its frames."""
    file, endpoint = folder / "drive.mcap", f"ipc://{folder}/results"
    whole = ("--fast", "--policy", "lossless")
    command = next(line for line in commands() if line.startswith("edge-engine record"))
    options = command.removeprefix("edge-engine record 0 -o drive.mcap").split()
    done = run_program(
        "record", "test:320x240@30?frames=30", "-o", str(file), *options, *whole, "--publish", endpoint
    )
    assert done.returncode == 0, done.stderr
    checked = run_program("replay", str(file), "--check")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def follow_a_person(_: Path) -> None:
    """The second command for a few seconds more than it takes the first to see somebody."""
    engine = start_program("run", "configs/follow.yaml")
    with subprocess.Popen(
        [sys.executable, "-m", "tools.follow", "--robot", "rover", "--json", "--seconds", "60"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as robot:
        assert robot.stdout is not None
        assert any(json.loads(line)["track_id"] for line in robot.stdout), "it follows nobody"
        robot.send_signal(signal.SIGINT)
        robot.communicate(timeout=20)
    engine.send_signal(signal.SIGINT)
    engine.communicate(timeout=20)
    assert robot.returncode == 0


def list_the_cameras(_: Path) -> None:
    assert "rtsp://" in run_program("sources").stdout


def see_the_doctor(_: Path) -> None:
    assert "provider cpu: loads" in run_program("doctor").stdout


def list_models(_: Path) -> None:
    assert "nanodet-g" in run_program("models").stdout


def pull_a_model(folder: Path) -> None:
    """Whole where there is a network, one line where there is none."""
    done = run_program("models", "pull", "yolox-nano", XDG_CACHE_HOME=str(folder))
    if done.returncode == 0:
        assert "yolox-nano: pulled, 3.7 MB" in done.stdout
    else:
        assert_one_clear_line(done, 3, "yolox_nano.onnx")


def inspect_a_model(_: Path) -> None:
    assert "astronaut: person" in run_program("inspect", "nanodet-g").stdout


def evaluate_it(folder: Path) -> None:
    (folder / "data").mkdir()
    labels = street.write_coco(folder / "data")
    done = run_program("eval", "nanodet-g", str(labels))
    assert done.returncode == 0, done.stderr
    assert "AP50" in done.stdout


def quantize_it(folder: Path) -> None:
    model, seen = nets.classifier(folder / "mine.onnx"), nets.pictures(folder / "pictures")
    assert run_program("quantize", str(model), "--calibrate", str(seen)).returncode == 0
    assert (folder / "mine-int8.onnx").exists()


def bench_it(folder: Path) -> None:
    """Each of them as printed, for a moment only, on a file where it names one."""
    shutil.copy(clip.clip_path(), folder / "street.mp4")
    brief = ("--seconds", "2", "--warmup", "0")
    for command in sorted(BENCHES, key=lambda line: "--compare" in line):
        arguments = [*command.split()[1:], *(() if "--compare" in command else brief)]
        done = subprocess.run(
            [*PROGRAM, *arguments], capture_output=True, text=True, cwd=folder, timeout=90, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "frames/s" in done.stdout or "of latency" in done.stdout
        if "--json" in command:
            shutil.copy(folder / "a.json", folder / "b.json")
    assert "</svg>" in (folder / "a.html").read_text()


def tune_it(folder: Path) -> None:
    with on_one_core():
        brief = ("--goal", "latency", "--rounds", "1", "--seconds", "1")
        done = run_program("tune", *brief, **own_cache(folder))
    assert "the worst choice" in done.stdout


BENCHES = {line for line in commands() if line.startswith("edge-engine bench")}


def compile_the_controller(folder: Path) -> None:
    """And see it act on what the demo sees."""
    if shutil.which("g++") is None or not Path("/usr/include/zmq.hpp").exists():
        pytest.skip("no g++, libzmq3-dev and cppzmq-dev: make rig-clients says how")
    (command,) = (line for line in commands() if line.startswith("g++"))
    built = command.replace("-o controller", f"-o {folder}/controller").split()
    subprocess.run(built, cwd=ROOT, check=True, timeout=300)
    engine = start_program("run", "configs/demo.yaml")
    with subprocess.Popen([folder / "controller"], stdout=subprocess.PIPE, text=True) as controller:
        assert controller.stdout is not None
        assert any("person" in line for line in controller.stdout)
        controller.kill()
    engine.send_signal(signal.SIGINT)
    engine.communicate(timeout=20)


def make_keys_and_listen(tmp_path: Path) -> None:
    """The engine's side as in the README, but on a socket file."""
    keys = tmp_path / "keys"
    assert run_program("keygen", str(keys)).returncode == 0
    assert run_program("keygen", str(keys), "--client", "rover").returncode == 0
    endpoint, text = f"ipc://{tmp_path}/results", (ROOT / "configs/demo.yaml").read_text()
    (tmp_path / "keys.yaml").write_text(text.replace(ENDPOINT, f"{endpoint}\n    keys: {keys}"))
    engine = start_program("run", str(tmp_path / "keys.yaml"))
    options = ["--server-key", str(keys / "server.key"), "--client-key", str(keys / "rover.key_secret")]
    heard = run_program("listen", endpoint, "--count", "5", "--timeout", "60", *options)
    assert heard.returncode == 0, heard.stderr
    unheard = run_program("listen", endpoint, "--count", "1", "--timeout", "1")
    assert unheard.returncode == 3
    engine.send_signal(signal.SIGINT)
    _, err = engine.communicate(timeout=20)
    assert engine.returncode == 0, err


CONTROLS = {line for line in commands() if line.startswith("edge-engine control")}


def control_an_engine(folder: Path) -> None:
    """Each as printed, one after the other, but on a socket file and with a model that is there."""
    endpoint = f"ipc://{folder}/control"
    text = (ROOT / "configs/demo.yaml").read_text().replace("street:", "front:")
    text = text.replace(ENDPOINT, f"ipc://{folder}/results")
    control = f"standby_models: [blazeface]\ncontrol: {{endpoint: '{endpoint}'}}\n"
    (folder / "control.yaml").write_text(f"{text}\n{control}")
    engine = start_program("run", str(folder / "control.yaml"))
    for command in sorted(CONTROLS, key=README.index):
        if " model " in command:  # faces are none of the classes that were asked for
            Controller(endpoint, timeout_s=60).set_classes("front", [])
            Controller(endpoint, timeout_s=60).set_thresholds("front", 0.4)
        _, _, _, *rest = command.replace("yolox-nano", "blazeface").split()
        arguments = [str(folder / part) if part.endswith(".jpg") else part for part in rest]
        done = run_program("control", "--timeout", "60", endpoint, *arguments)
        assert done.returncode == 0, done.stderr
    engine.send_signal(signal.SIGINT)
    out, err = engine.communicate(timeout=20)
    assert engine.returncode == 0, err
    assert "with blazeface" in out
    assert (folder / "front.jpg").stat().st_size > 1000


TRIED: dict[str, Callable[[Path], None] | str] = {
    "make demo": run_the_demo,
    "make test": "is what runs this test",
    "make figures": "takes minutes; its parts are imported by a test below",
    ".venv/bin/edge-engine listen": listen_to_ten,
    "edge-engine run configs/demo.yaml": run_the_demo,
    "edge-engine run 0": run_a_camera_that_is_not_there,
    "edge-engine run street.mp4 --fast --policy lossless --json": run_a_file,
    "edge-engine run street.mp4 --fast --classes person,car --threshold 0.3,person=0.5": (
        run_a_file_for_some_classes
    ),
    "edge-engine run street.mp4 --track": run_a_file_with_tracking,
    "edge-engine listen tcp://127.0.0.1:5555 --json --count 10": listen_to_ten,
    "edge-engine record 0 -o drive.mcap --seconds 60": record_and_replay,
    "edge-engine replay drive.mcap --check": record_and_replay,
    "edge-engine run configs/follow.yaml": follow_a_person,
    "python -m tools.follow --robot rover": follow_a_person,
    "edge-engine sources": list_the_cameras,
    "edge-engine doctor": see_the_doctor,
    "edge-engine models": list_models,
    "edge-engine models pull yolox-nano": pull_a_model,
    "edge-engine inspect nanodet-g": inspect_a_model,
    "edge-engine eval nanodet-g pictures.json": evaluate_it,
    "edge-engine quantize mine.onnx --calibrate pictures/": quantize_it,
    "edge-engine tune": tune_it,
    "edge-engine keygen keys/": make_keys_and_listen,
    "edge-engine keygen keys/ --client rover": make_keys_and_listen,
    f"edge-engine listen {ENDPOINT} --server-key server.key --client-key rover.key_secret": (
        make_keys_and_listen
    ),
    "g++ -std=c++17 -O2 -I edge_engine/languages/cpp edge_engine/languages/cpp/controller.cpp -o controller "
    "-lzmq -pthread": compile_the_controller,
    **dict.fromkeys(BENCHES, bench_it),
    **dict.fromkeys(CONTROLS, control_an_engine),
}


def test_every_command_in_the_readme_is_tried_here() -> None:
    assert commands() == set(TRIED)
    assert len(BENCHES) >= 4


@pytest.mark.parametrize(
    "trial", sorted({t for t in TRIED.values() if callable(t)}, key=lambda t: t.__name__)
)
def test_the_readmes_commands_do_what_it_says(trial: Callable[[Path], None], tmp_path: Path) -> None:
    trial(tmp_path)


@pytest.mark.parametrize("number", range(len(blocks("python"))))
@pytest.mark.usefixtures("demo")
def test_the_readmes_programs_print_results(number: int, tmp_path: Path) -> None:
    program = blocks("python")[number]
    if "Engine(" in program:
        program = program.replace("demo.yaml", "demo-elsewhere.yaml")
        text = (ROOT / "configs/demo.yaml").read_text().replace(ENDPOINT, f"ipc://{tmp_path}/elsewhere")
        (tmp_path / "configs").mkdir()
        (tmp_path / "configs/demo-elsewhere.yaml").write_text(text)
    with subprocess.Popen(
        [sys.executable, "-u", "-c", program], stdout=subprocess.PIPE, text=True, cwd=tmp_path
    ) as process:
        assert process.stdout is not None
        assert any("person" in line for line in process.stdout)
        process.kill()


def test_the_figures_script_is_whole() -> None:
    done = subprocess.run(
        [sys.executable, "tools/figures.py", "--help"], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert "--minutes" in done.stdout


def test_the_picture_is_there() -> None:
    (picture,) = re.findall(r"!\[.*?\]\((.*?)\)", README)
    assert (ROOT / picture).stat().st_size > 10_000
