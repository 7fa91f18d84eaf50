"""The decoders of other languages, as programs: messages in, what they say of each out."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from edge_engine.languages import FOLDER
from edge_engine.wire import ClockReply, ForeignError, WireError, decode, decode_clock

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
GOLDEN = ROOT / "tests/golden/messages"
NODE_MODULES = ROOT / "build/clients/node_modules"
WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror")
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")


def need(program: str) -> str:
    """Its path; the test is skipped where there is none."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed: make rig-clients says how")
    return found


def node() -> list[str]:
    """The command for a program with WebSocket in it, which Node has from 20.10 on, from 22 on by itself."""
    command = [need("node"), "--no-warnings", "--experimental-websocket"]
    if subprocess.run([*command, "--eval", ""], capture_output=True, check=False).returncode:
        pytest.skip("this node has no WebSocket: expected 20.10 or newer")
    return command


def compile_cpp(name: str, folder: Path, *options: str) -> Path:
    """tests/languages/cpp/NAME.cpp as a program, with every warning an error."""
    program = folder / name
    command = [need("g++"), "-std=c++17", *WARNINGS, "-I", str(FOLDER / "cpp")]
    done = subprocess.run(
        [*command, str(HERE / f"cpp/{name}.cpp"), "-o", str(program), *options],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return program


def said_by(command: Sequence[str | Path], messages: Sequence[bytes]) -> list[object]:
    """What a program says of each message: its fields, or "damaged" or "foreign"."""
    given = b"".join(len(message).to_bytes(4, "big") + message for message in messages)
    done = subprocess.run(command, input=given, capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr.decode()[-4000:]
    return [json.loads(line) for line in done.stdout.decode(errors="replace").splitlines()]


def said_by_python(message: bytes) -> object:
    """The same of edge_engine.wire."""
    try:
        found: msgspec.Struct = decode(message)
    except ForeignError:
        try:
            found = decode_clock(message, ClockReply)
        except WireError:
            return "foreign"
    except WireError:
        return "damaged"
    return msgspec.json.decode(msgspec.json.encode(found))
