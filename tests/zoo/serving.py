"""The faulty server, started for a test module, and what it is asked."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tests.cli.program import ROOT

CONTENT = np.random.default_rng(0).bytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(NamedTuple):
    port: int
    folder: Path

    def url(self, fault: str) -> str:
        return f"http://127.0.0.1:{self.port}/{fault}/model.onnx"

    def asked(self) -> list[str]:
        """Paths and ranges since the last call."""
        asked = self.folder / "asked"
        lines = asked.read_text().splitlines() if asked.exists() else []
        asked.write_text("")
        return lines


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    (folder / "model.onnx").write_bytes(CONTENT)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.zoo.server", str(folder)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        yield Server(int(process.stdout.readline()), folder)
        process.kill()
