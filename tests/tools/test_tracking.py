"""tools/tracking.py: without a sequence it tells how long the tracker takes."""

from __future__ import annotations

import subprocess
import sys

from tests.cli.program import ROOT


def test_the_trackers_time_is_told_for_few_and_for_many() -> None:
    command = [sys.executable, "-m", "tools.tracking", "--option", "recovery=true"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    few, many = done.stdout.splitlines()
    assert few.startswith("50 objects: median ")
    assert many.startswith("500 objects: median ")
