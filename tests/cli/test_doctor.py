"""edge-engine doctor: a machine as it is, and configurations that can't work."""

from __future__ import annotations

import ast
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import zmq

from edge_engine.diagnosis import system
from edge_engine.diagnosis.configuration import configuration
from edge_engine.keys import make_server_keys
from tests.cli.program import ROOT, run_program
from tests.rigs.peer import Peer

GOOD = "streams: {a: {source: 'test:64x48@50'}}\n"


def findings(*arguments: str) -> tuple[int, dict[str, dict[str, Any]]]:
    done = run_program("doctor", "--json", *arguments)
    rows = json.loads(done.stdout)
    return done.returncode, {row["check"]: row for row in rows}


def test_a_machine_that_runs_the_tests_is_well_and_every_complaint_has_its_level() -> None:
    done = run_program("doctor")
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout
    assert all(line.startswith(("ok ", "note ")) for line in lines)
    for check in ("runtime", "kernels", "provider cpu", "model", "cache", "clock", "port", "cores"):
        assert any(line[5:].startswith(f"{check}:") for line in lines), check


def test_a_port_that_is_held_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        endpoint = f"tcp://127.0.0.1:{holder.getsockname()[1]}"
        (held,) = system.port(endpoint)
    assert held.level == "note"
    assert f"{endpoint} can't be bound: Address already in use" in held.found
    assert f"(process {os.getpid()}) listens there" in held.found
    (free,) = system.port(endpoint)
    assert (free.level, free.cure) == ("ok", "")


def test_a_limit_of_time_is_found_wherever_it_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "cgroup"
    monkeypatch.setattr(system, "_CGROUPS", root)
    own = [folder for folder in system._groups() if folder.is_relative_to(root)]
    for folder, limit, cores in ((own[0], "150000 100000", 1.5), (root, "50000 100000", 0.5)):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cpu.max").write_text(limit + "\n")
        assert system._quota_cores() == cores
    for folder in {own[0], root}:
        (folder / "cpu.max").write_text("max 100000\n")
    assert system._quota_cores() is None
    (root / "cpu").mkdir(exist_ok=True)
    (root / "cpu" / "cpu.cfs_quota_us").write_text("20000\n")
    (root / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert system._quota_cores() == 0.2
    (found,) = system.container()
    assert (found.level, "only the time of 0.2 is given" in found.found) == ("note", True)


def test_what_the_system_refuses_is_told_with_its_cure() -> None:
    """As an ordinary user, without limits of his own."""
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    code = (
        "import os, resource; from edge_engine.diagnosis import system; "
        "resource.setrlimit(resource.RLIMIT_RTPRIO, (0, 0)); os.setgroups([]); os.setuid(65534); "
        "print([(each.check, each.level, each.cure) for each in system.priorities()])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    found = {check: (level, cure) for check, level, cure in ast.literal_eval(done.stdout)}
    assert found["real-time priority"][0] == found["cores kept awake"][0] == "note"
    assert "limits.conf" in found["real-time priority"][1]
    assert "udev" in found["cores kept awake"][1]


def test_a_cache_that_can_not_be_written_is_bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    (found,) = system.disk()
    assert found.level == "bad"
    assert "XDG_CACHE_HOME" in found.cure


def test_a_configuration_that_works_is_well(tmp_path: Path) -> None:
    path = tmp_path / "good.yaml"
    path.write_text(GOOD)
    code, found = findings(str(path))
    assert code == 0
    assert found["its stream a"]["found"].endswith("a picture of 64x48")
    assert found["its model"]["level"] == "ok"


def test_all_that_a_configuration_opens_is_tried(tmp_path: Path) -> None:
    keys, path = tmp_path / "keys", tmp_path / "whole.yaml"
    make_server_keys(keys)
    path.write_text(
        GOOD + "standby_models: [efficientnet-lite0]\n"
        f"control: {{endpoint: 'tcp://127.0.0.1:*', keys: '{keys}'}}\n"
        "outputs: {zeromq: {endpoint: 'tcp://127.0.0.1:*'}, websocket: {endpoint: '127.0.0.1:*'}}\n"
    )
    found = {each.check: each for each in configuration(path)}
    assert {each.level for each in found.values()} == {"ok"}
    assert {"its standby model", "its control endpoint", "who may control", "its page"} <= found.keys()
    with zmq.Context() as context, context.socket(zmq.ROUTER) as other:
        other.bind("tcp://127.0.0.1:*")
        held = other.getsockopt_string(zmq.LAST_ENDPOINT)
        path.write_text(GOOD + f"control: {{endpoint: '{held}'}}\n")
        found = {each.check: each for each in configuration(path)}
    assert found["its control endpoint"].level == "bad"
    assert "in use" in found["its control endpoint"].found


def test_an_engine_that_publishes_is_found_and_goes_on_being_heard(tmp_path: Path) -> None:
    endpoint = f"ipc://{tmp_path}/results"
    path = tmp_path / "held.yaml"
    path.write_text(GOOD + f"outputs: {{zeromq: {{endpoint: '{endpoint}'}}}}\n")
    with zmq.Context() as context, context.socket(zmq.XPUB) as engine:
        engine.bind(endpoint)
        code, found = findings(str(path))
        assert (code, found["its endpoint"]["level"]) == (2, "bad")
        with context.socket(zmq.SUB) as late:
            late.subscribe("")
            late.connect(endpoint)
            assert engine.poll(30_000), "a newcomer still finds it"
    _, found = findings(str(path))
    assert found["its endpoint"]["level"] == "ok"


def test_a_broker_that_lets_the_engine_in_is_well(tmp_path: Path) -> None:
    path = tmp_path / "mqtt.yaml"
    with Peer("mqtt_broker", "--user", "robot:right-one") as broker:
        for password, level, says in (("right-one", "ok", "lets"), ("wrong-one", "bad", "refuses")):
            login = f"username: robot, password: {password}"
            path.write_text(GOOD + f"outputs: {{mqtt: {{host: 127.0.0.1, port: {broker.port}, {login}}}}}\n")
            found = [each for each in configuration(path) if each.check == "its MQTT broker"]
            assert (found[0].level, says in found[0].found) == (level, True)
            assert password not in repr(found)


@pytest.mark.parametrize(
    ("text", "check", "says"),
    [
        ("streams: {a: {source: none.mp4}}\n", "its stream a", "none.mp4: can't be opened"),
        ("streams: {a: {source: 'rtsp://127.0.0.1:9/cam'}}\n", "its stream a", "nothing listens there"),
        (GOOD + "model: none.onnx\n", "its model", "none.onnx"),
        (GOOD + "standby_models: [none.onnx]\n", "its standby model", "none.onnx"),
        (GOOD + "control: {endpoint: 'tcp://0.0.0.0:*'}\n", "who may control", "keygen"),
        (GOOD + "control: {keys: nowhere}\n", "who may control", "keygen nowhere"),
        (GOOD + "outputs: {websocket: {endpoint: '192.0.2.7:80'}}\n", "its page", "192.0.2.7"),
        (GOOD + "outputs: {zeromq: {endpoint: 'tcp://192.0.2.7:5555'}}\n", "its endpoint", "192.0.2.7"),
        (GOOD + "outputs: {zeromq: {endpoint: 'tcp://0.0.0.0:*'}}\n", "who may listen", "keygen"),
        (GOOD + "outputs: {zeromq: {keys: nowhere}}\n", "who may listen", "keygen nowhere"),
        (GOOD + "outputs: {mqtt: {host: 127.0.0.1, port: 9}}\n", "its MQTT broker", "Connection refused"),
        (GOOD + "outputs: {mqtt: {host: h, password_file: none}}\n", "its MQTT broker", "password_file"),
        ("stream: {}\n", "configuration", "stream"),
    ],
)
def test_what_keeps_a_configuration_from_working_is_bad_and_exit_2(
    text: str, check: str, says: str, tmp_path: Path
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    code, found = findings(str(path))
    assert code == 2
    assert found[check]["level"] == "bad"
    assert says in found[check]["found"] + found[check]["cure"]
