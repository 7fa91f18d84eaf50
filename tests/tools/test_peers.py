"""tools/peers.py: the ways that need no other package run side by side with the engine, for a moment."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.cli.program import ROOT


def test_the_engine_and_its_peers_are_measured_in_turns(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tools.peers", "nanodet-g", "--turns", "1", "--seconds", "1"]
    ways = ["plain loop", "threaded loop", "OpenCV DNN"]
    done = subprocess.run(
        [*command, "--only", *ways, "--openvino", sys.executable, "--json", str(tmp_path / "peers.json")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split("|")[1].strip() for line in done.stdout.splitlines() if line.startswith("| ")]
    ours = ["edge_engine on OpenVINO", "edge_engine on OpenVINO, live at 25 fps"]
    assert rows == ["", "edge_engine", *ways, "edge_engine, live at 25 fps", *ours]
    _, found = json.loads((tmp_path / "peers.json").read_text())
    for measured in found["nanodet-g-416-int8"].values():
        assert all(value > 0 for value in measured[0].values())
