"""edge-engine listen, and the other commands' small talk."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from edge_engine import __version__, zoo
from edge_engine.client import Subscriber
from tests.cli.program import PROGRAM, ROOT, assert_one_clear_line, run_program, start_program
from tests.rigs.peer import PATIENCE_S, Peer, wait_until


def test_plain_lines_name_stream_age_and_objects(tmp_path: Path) -> None:
    endpoint = f"ipc://{tmp_path}/results"
    engine = start_program("run", "configs/demo.yaml", "--publish", endpoint, "--seconds", "30")
    done = run_program("listen", endpoint, "--count", "5", "--timeout", "60")
    engine.terminate()
    engine.communicate(timeout=20)
    lines = done.stdout.splitlines()
    assert len(lines) == 5
    assert all(line.startswith("street #") and "age" in line and "ms" in line for line in lines)
    assert "\x1b" not in done.stdout


def test_it_says_when_a_stream_is_not_to_be_trusted_and_when_it_is_again() -> None:
    with Peer("other_machine") as engine:
        listener = subprocess.Popen(
            [*PROGRAM, "listen", f"tcp://127.0.0.1:{engine.port}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        too_late = threading.Timer(2 * PATIENCE_S, listener.kill)
        too_late.start()
        assert listener.stderr is not None
        told = listener.stderr

        def waits_for(*words: str) -> bool:
            return any(line.startswith("a: ") and any(word in line for word in words) for line in told)

        with Subscriber(f"tcp://127.0.0.1:{engine.port}") as subscriber:
            assert wait_until(lambda: subscriber.status("a"))
        assert "listening" in told.readline()
        engine.say("hold")
        assert waits_for("ms old", "stalled", "no result yet")
        engine.say("go")
        assert waits_for("well again")
        engine.signal(signal.SIGSTOP)
        assert waits_for("no heartbeat for")
        too_late.cancel()
        listener.send_signal(signal.SIGINT)
        listener.communicate(timeout=20)
        assert listener.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_what_came(number: signal.Signals, tmp_path: Path) -> None:
    listener = start_program("listen", f"ipc://{tmp_path}/nobody")
    assert listener.stderr is not None
    assert "listening" in listener.stderr.readline()
    listener.send_signal(number)
    _, err = listener.communicate(timeout=20)
    assert listener.returncode == 0
    assert err.endswith("0 results, 0 lost on the way, 0 damaged\n")


def test_silence_is_exit_3_when_results_were_asked_for(tmp_path: Path) -> None:
    done = run_program("listen", f"ipc://{tmp_path}/nobody", "--count", "1", "--timeout", "0.2")
    assert done.returncode == 3
    assert "0 of 1 results" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_endpoint_that_is_none_is_one_line_and_exit_2() -> None:
    assert_one_clear_line(run_program("listen", "nowhere"), 2, "nowhere", "tcp://127.0.0.1:5555")


def test_a_reader_that_leaves_early_ends_it_quietly(tmp_path: Path) -> None:
    endpoint = f"ipc://{tmp_path}/results"
    engine = start_program("run", "test:", "--publish", endpoint, "--seconds", "30")
    piped = f"{' '.join(PROGRAM)} listen {endpoint} --json --timeout 60 | head -n 2"
    done = subprocess.run(piped, shell=True, capture_output=True, text=True, cwd=ROOT, timeout=90, check=True)
    engine.terminate()
    engine.communicate(timeout=20)
    assert len(done.stdout.splitlines()) == 2
    assert "Traceback" not in done.stderr


def test_models_lists_licence_size_and_checksum() -> None:
    entry = zoo.entries()["nanodet-g"]
    plain = run_program("models")
    assert plain.returncode == 0
    assert "nanodet-g" in plain.stdout
    assert entry.licence in plain.stdout
    assert entry.sha256 in plain.stdout
    listed = json.loads(run_program("models", "--json").stdout)
    assert listed["nanodet-g"]["bytes"] == entry.path.stat().st_size


def test_version_is_the_packages() -> None:
    assert run_program("--version").stdout.strip() == f"edge-engine {__version__}"


def test_help_names_the_exit_codes() -> None:
    assert "Exit codes" in run_program("--help").stdout
