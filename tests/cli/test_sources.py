"""edge-engine sources, on machines that have cameras and on those that have none."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.program import run_program


def test_the_cameras_of_this_machine_are_listed_or_it_is_said_that_there_are_none() -> None:
    done = run_program("sources")
    assert done.returncode == 0, done.stderr
    nodes = sorted(Path("/dev").glob("video*"))
    if not nodes:
        assert "no camera" in done.stdout or "/dev/video*" in done.stdout
    for kind in ("rtsp://", "http://", "csi:", "gst:", "zmq:"):
        assert kind in done.stdout


def test_a_program_reads_the_same_as_json() -> None:
    done = run_program("sources", "--json")
    assert done.returncode == 0, done.stderr
    cameras = json.loads(done.stdout)
    assert isinstance(cameras, list)
    for camera in cameras:
        assert camera["device"].startswith("/dev/video")
        assert camera["formats"] or camera["problem"]
