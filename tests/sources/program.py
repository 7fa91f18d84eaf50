"""`edge-engine run` on a network camera, brought into each state that a live source can be in."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from edge_engine.client import Subscriber
from tests.rigs.peer import ROOT, Peer, wait_until

STATES = ("opening", "running", "stalled", "reconnecting")


@contextmanager
def program_while(state: str) -> Iterator[subprocess.Popen[str]]:
    """The program in that state; its output, both streams in one, has been read as far as it tells that."""
    with (
        TemporaryDirectory() as folder,
        Subscriber(f"ipc://{folder}/results") as subscriber,
        Peer("rtsp_server") as camera,
        socket.create_server(("127.0.0.1", 0)) as hole,
    ):
        port = hole.getsockname()[1] if state == "opening" else camera.port
        path = _configuration(
            Path(folder), port, frame_deadline_ms=300 if state == "reconnecting" else 60_000
        )
        command = [sys.executable, "-m", "edge_engine", "run", str(path)]
        with subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as program:
            if state == "opening":
                connection, _ = hole.accept()
                with connection:
                    yield program
                return
            assert wait_until(lambda: subscriber.latest() is not None and subscriber.stats.received > 10)
            if state != "running":
                camera.signal(signal.SIGSTOP)
                assert program.stdout is not None
                assert any(f"state={state}" in line for line in program.stdout)
            yield program


def _configuration(folder: Path, port: int, *, frame_deadline_ms: int) -> Path:
    path = folder / "engine.yaml"
    path.write_text(
        "streams:\n"
        f"  a: {{source: 'rtsp://127.0.0.1:{port}/cam', open_deadline_ms: 60000, "
        f"frame_deadline_ms: {frame_deadline_ms}}}\n"
        f"outputs: {{zeromq: {{endpoint: 'ipc://{folder}/results'}}}}\n"
    )
    return path
