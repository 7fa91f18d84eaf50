"""Subscribers in other languages, each a process of its own, and a real engine: fresh or silent."""

from __future__ import annotations

import multiprocessing
import re
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from websockets.sync.server import ServerConnection, serve

from edge_engine.clock import NS_PER_MS, NS_PER_S
from edge_engine.keys import key_pair, make_client_keys, make_server_keys, public_key
from tests.client.soak_messages import KINDS, script, send_script
from tests.languages.decoders import HERE, NODE_MODULES, ROOT, compile_cpp, need, node
from tests.languages.watcher import Look, Watcher
from tests.outputs.test_security import Engine
from tests.rigs.peer import Peer

MAX_AGE_MS = 500  # the rig's


@pytest.fixture(scope="module")
def cpp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not Path("/usr/include/zmq.hpp").exists():
        need("cppzmq-dev")
    return compile_cpp("watch", tmp_path_factory.mktemp("cpp"), "-O2", "-lzmq", "-pthread")


def watch_cpp(cpp: Path, port: int) -> Watcher:
    return Watcher([cpp, f"tcp://127.0.0.1:{port}"])


def watch_js(port: int, kind: str = "ws", folder: Path = Path(), step_ms: str = "") -> Watcher:
    return Watcher(
        [*node(), HERE / "js/watch.mjs", f"{kind}://127.0.0.1:{port}", step_ms],
        {"ZEROMQ_TRANSPORT": str(folder / "js/zeromq.js")},
    )


def assert_fresh_or_silent(looks: list[Look], ahead_ns: int) -> None:
    """Whatever it held was good by the engine's own clock, and no younger than it said."""
    held = [look for look in looks if look["captured_ns"]]
    assert held
    for look in held:
        age_ms = (look["now_ns"] + ahead_ns - look["captured_ns"]) / NS_PER_MS
        assert 0 < age_ms <= MAX_AGE_MS
        assert look["age_ms"] >= age_ms - 0.001
    assert all(look["captured_ns"] for look in looks if look["ok"])


def live_through_everything(engine: Peer, watch: Callable[[int], Watcher], ahead_s: int) -> None:
    """A camera that freezes, an engine that is killed, and one that comes back."""
    with watch(engine.port) as watcher:
        session = watcher.until(lambda look: look["ok"])["session"]
        engine.say("hold")
        frozen = watcher.until(lambda look: not look["fresh"])
        assert "ms old" in watcher.until(lambda look: look["alive"] and not look["fresh"])["reason"]
        assert not frozen["captured_ns"]
        engine.say("go")
        watcher.until(lambda look: look["ok"])
        engine.kill()
        assert not watcher.until(lambda look: not look["alive"])["ok"]
        engine.start()
        again = watcher.until(lambda look: look["ok"] and look["session"] != session)
        assert (again["restarts"], again["damaged"], again["foreign"]) == (1, 0, 0)
        assert watcher.end() == 0
        assert_fresh_or_silent(watcher.looks, ahead_s * NS_PER_S)


def test_cpp_is_fresh_or_silent_with_an_engine_on_another_machine(cpp: Path) -> None:
    with Peer("other_machine", "--ahead-s=86400") as engine:
        live_through_everything(engine, lambda port: watch_cpp(cpp, port), 86400)


def test_cpp_knows_this_machines_own_clock(cpp: Path) -> None:
    with Peer("other_machine", "--ahead-s=0") as engine, watch_cpp(cpp, engine.port) as watcher:
        look = watcher.until(lambda look: look["ok"])
        assert look["reason"] == ""
        assert watcher.end() == 0
        assert_fresh_or_silent(watcher.looks, 0)
        assert not any("clock is not known" in look["reason"] for look in watcher.looks)


def test_js_is_fresh_or_silent_over_a_websocket() -> None:
    node()
    with Peer("other_machine", "--ahead-s=-5", "--websocket") as engine:
        live_through_everything(engine, watch_js, -5)


def test_js_allows_for_a_clock_that_moves_in_steps() -> None:
    """A result may look older than it is by as much, but never younger."""
    node()
    with Peer("other_machine", "--ahead-s=1000", "--websocket") as engine:
        with watch_js(engine.port, step_ms="20") as watcher:
            watcher.until(lambda look: look["ok"] and look["received"] > 20)
            engine.say("hold")
            watcher.until(lambda look: not look["fresh"] and look["alive"])
            assert watcher.end() == 0
        assert_fresh_or_silent(watcher.looks, 1000 * NS_PER_S)


def test_js_is_fresh_or_silent_over_zeromq(tmp_path: Path) -> None:
    if not NODE_MODULES.exists():
        need("npm's zeromq")
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    shutil.copytree(ROOT / "edge_engine/languages/js", tmp_path / "js")
    with Peer("other_machine", "--ahead-s=86400") as engine:
        live_through_everything(engine, lambda port: watch_js(port, "tcp", tmp_path), 86400)


def test_cpp_counts_what_went_wrong_on_the_way(cpp: Path, tmp_path: Path) -> None:
    messages, told = script(3_000, seed=2)
    endpoint, (ours, theirs) = f"ipc://{tmp_path}/script", multiprocessing.Pipe()
    sender = threading.Thread(target=send_script, args=(endpoint, messages, theirs))
    sender.start()
    with Watcher([cpp, endpoint]) as watcher:
        wanted = {kind: told[kind] for kind in KINDS}
        watcher.until(lambda look: {kind: look[kind] for kind in KINDS} == wanted)
    ours.send("done")
    sender.join()


def test_the_readmes_js_program_says_when_to_stop_and_when_not() -> None:
    (program,) = re.findall(r"```js\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    with Peer("other_machine", "--ahead-s=0", "--websocket") as engine:
        program = program.replace("127.0.0.1:8765", f"127.0.0.1:{engine.port}")
        command = [*node(), "--input-type=module", "--eval", program]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as controller:
            assert controller.stdout is not None
            assert controller.stdout.readline().startswith("stop: ")
            assert any(line.startswith("[") for line in controller.stdout)
            controller.kill()


def test_js_counts_what_went_wrong_on_the_way() -> None:
    messages, told = script(3_000, seed=3)

    def send(client: ServerConnection) -> None:
        for message in messages:
            client.send(message)
        client.recv()

    with serve(send, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever).start()
        with watch_js(server.socket.getsockname()[1]) as watcher:
            wanted = {kind: told[kind] for kind in KINDS}
            watcher.until(lambda look: {kind: look[kind] for kind in KINDS} == wanted)
        server.shutdown()


def test_cpp_listens_with_its_key_and_hears_nothing_without(cpp: Path, tmp_path: Path) -> None:
    make_server_keys(tmp_path / "keys")
    secret = make_client_keys(tmp_path / "keys", "rover")
    engine = Engine(tmp_path / "keys")
    try:
        mine = key_pair(secret)
        keys = [public_key(tmp_path / "keys/server.key"), mine.public, mine.secret]
        command = [cpp, engine.output.endpoint]
        with (
            Watcher([*command, *[key.decode() for key in keys]]) as rover,
            Watcher(command) as stranger,
        ):
            rover.until(lambda look: look["received"] > 5)
            stranger.until(lambda look: look["reason"])
            rover.until(lambda look: look["received"] > 50)
            assert stranger.until(lambda look: True)["received"] == 0
    finally:
        engine.close()
