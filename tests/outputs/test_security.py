"""Who may listen: keys, those without, those whose key was taken away, and those who only do harm."""

from __future__ import annotations

import contextlib
import socket
import stat
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_engine.client import Subscriber
from edge_engine.client.clock_sync import ClockSync
from edge_engine.client.credentials import credentials
from edge_engine.clock import NS_PER_MS, clock_id
from edge_engine.errors import ConfigError
from edge_engine.keys import make_client_keys, make_server_keys, public_key
from edge_engine.outputs.allow_list import is_private
from edge_engine.outputs.zeromq import ZeroMqOutput
from edge_engine.wire import DescribeMessage
from tests.client.publisher import make_result
from tests.rigs.peer import wait_until

DESCRIBED = DescribeMessage(stream="front", session="a", model="m", task="detect", labels=(), max_age_ms=500)


class Engine:
    """The engine's output, fed with 100 results a second by a thread that is its own."""

    def __init__(self, keys: Path | None, endpoint: str = "tcp://127.0.0.1:*") -> None:
        self.output = ZeroMqOutput(endpoint, {"front": DESCRIBED}, "a", keys=keys)
        self.published = 0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._closing.wait(0.01):
            self.published += 1
            self.output.beat({})
            self.output._send(make_result(self.published))
        self.output.close()

    def close(self) -> None:
        self._closing.set()
        self._thread.join()


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    make_server_keys(tmp_path / "keys")
    make_client_keys(tmp_path / "keys", "rover")
    return tmp_path / "keys"


@pytest.fixture
def engine(keys: Path) -> Iterator[Engine]:
    engine = Engine(keys)
    yield engine
    engine.close()


def rover(engine: Engine, keys: Path, name: str = "rover") -> Subscriber:
    return Subscriber(
        engine.output.endpoint, server_key=keys / "server.key", client_key=keys / f"{name}.key_secret"
    )


def comes(subscriber: Subscriber) -> bool:
    before = subscriber.stats.received
    return wait_until(lambda: subscriber.latest() is not None and subscriber.stats.received > before + 5)


def is_silent(subscriber: Subscriber, seconds: float = 0.5) -> bool:
    """Nothing has come within that time."""
    subscriber.latest()
    before = subscriber.stats.received
    time.sleep(seconds)
    subscriber.latest()
    return subscriber.stats.received == before


@pytest.mark.parametrize(
    ("endpoint", "private"),
    [
        ("tcp://127.0.0.1:5555", True),
        ("tcp://localhost:*", True),
        ("tcp://[::1]:1", True),
        ("tcp://lo:1", True),
        ("ipc:///tmp/x", True),
        ("tcp://*:5555", False),
        ("tcp://0.0.0.0:5555", False),
        ("tcp://[::]:5555", False),
        ("tcp://192.168.1.4:5555", False),
        ("tcp://eth0:5555", False),
        ("tcp://127.evil.example:1", False),
    ],
)
def test_an_endpoint_that_other_machines_reach_is_known(endpoint: str, private: bool) -> None:
    assert is_private(endpoint) == private


def test_an_open_endpoint_is_refused_unless_it_is_meant() -> None:
    with pytest.raises(ConfigError, match="open to other machines; expected `keys`"):
        ZeroMqOutput("tcp://0.0.0.0:*", {}, "a")
    ZeroMqOutput("tcp://0.0.0.0:*", {}, "a", insecure=True).close()


def test_an_open_endpoint_with_keys_is_bound(keys: Path) -> None:
    ZeroMqOutput("tcp://0.0.0.0:*", {}, "a", keys=keys).close()


def test_who_has_a_key_listens(engine: Engine, keys: Path) -> None:
    with rover(engine, keys) as subscriber:
        assert comes(subscriber)
        assert wait_until(lambda: subscriber.latest() is not None and "front" in subscriber.described)


def test_nobody_else_hears_a_word(engine: Engine, keys: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    make_server_keys(other)
    make_client_keys(other, "thief")
    strangers = [
        Subscriber(engine.output.endpoint),
        Subscriber(
            engine.output.endpoint, server_key=keys / "server.key", client_key=other / "thief.key_secret"
        ),
        Subscriber(
            engine.output.endpoint, server_key=other / "server.key", client_key=keys / "rover.key_secret"
        ),
    ]
    with rover(engine, keys) as subscriber:
        assert comes(subscriber)
        assert comes(subscriber)
    for stranger in strangers:
        assert list(stranger.results(timeout_s=0.3)) == []
        assert stranger.described == {}
        stranger.close()


def test_a_key_that_is_taken_away_is_cut_off_and_the_others_come_back(engine: Engine, keys: Path) -> None:
    make_client_keys(keys, "thief")
    with rover(engine, keys) as subscriber, rover(engine, keys, "thief") as thief:
        assert comes(subscriber)
        assert comes(thief)
        (keys / "clients" / "thief.key").unlink()
        assert wait_until(lambda: is_silent(thief))
        assert comes(subscriber)
        assert is_silent(thief, 1.5)


def test_a_key_that_is_allowed_later_gets_in(engine: Engine, keys: Path) -> None:
    secret = make_client_keys(keys, "late")
    kept = (keys / "clients" / "late.key").rename(keys / "late.key")
    time.sleep(0.3)
    with Subscriber(engine.output.endpoint, server_key=keys / "server.key", client_key=secret) as subscriber:
        assert is_silent(subscriber)
        kept.rename(keys / "clients" / "late.key")
        assert comes(subscriber)


def test_a_key_file_that_is_none_lets_nobody_in_and_harms_nobody(engine: Engine, keys: Path) -> None:
    (keys / "clients" / "broken.key").write_text("no key")
    with rover(engine, keys) as subscriber:
        assert comes(subscriber)


def test_garbage_and_half_open_connections_cost_the_good_client_nothing(engine: Engine, keys: Path) -> None:
    host, port = "127.0.0.1", int(engine.output.endpoint.rpartition(":")[2])
    greeting = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)
    harm = [
        b"",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\0" * 4096,
        bytes(range(256)) * 64,
        greeting,
        greeting + b"\x02" + struct.pack(">Q", 2**40),
        greeting[:10],
    ]
    with rover(engine, keys) as subscriber, contextlib.ExitStack() as open_ones:
        assert comes(subscriber)
        for number in range(200):
            connection = open_ones.enter_context(socket.create_connection((host, port)))
            with contextlib.suppress(OSError):
                connection.sendall(harm[number % len(harm)])
            subscriber.latest()
        assert comes(subscriber)
        assert subscriber.stats.lost == 0
        with rover(engine, keys) as another:
            assert comes(another)


def handshake(connection: socket.socket) -> None:
    """ZMTP 3.0 (ZeroMQ's RFC 23), without keys, as a SUB socket."""
    connection.sendall(b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32))
    ready = b"\x05READY" + b"\x0bSocket-Type" + struct.pack(">I", 3) + b"SUB"
    connection.sendall(b"\x04" + bytes([len(ready)]) + ready)
    received = b""
    while b"READY" not in received:
        received += connection.recv(4096)


@pytest.mark.parametrize("claimed", [2**20, 2**40, 2**63], ids=["megabyte", "terabyte", "more than fits"])
def test_a_subscription_that_is_too_long_ends_its_connection_alone(claimed: int) -> None:
    engine = Engine(None)
    address = ("127.0.0.1", int(engine.output.endpoint.rpartition(":")[2]))
    with Subscriber(engine.output.endpoint) as subscriber, socket.create_connection(address) as attacker:
        assert comes(subscriber)
        handshake(attacker)
        with contextlib.suppress(OSError):
            attacker.sendall(b"\x02" + struct.pack(">Q", claimed) + b"\x01" + b"x" * (2**20 - 1))
            attacker.settimeout(30)
            while attacker.recv(65536):
                pass
        assert comes(subscriber)
        assert subscriber.stats.lost == 0
    engine.close()


def test_secrets_are_for_their_owner_and_nothing_is_overwritten(keys: Path) -> None:
    for secret in (keys / "server.key_secret", keys / "rover.key_secret"):
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    before = public_key(keys / "server.key")
    with pytest.raises(ConfigError, match="is there already"):
        make_server_keys(keys)
    with pytest.raises(ConfigError, match="is there already"):
        make_client_keys(keys, "rover")
    assert public_key(keys / "server.key") == before


def test_a_client_needs_the_engines_keys_first(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="edge-engine keygen"):
        make_client_keys(tmp_path, "rover")


def test_half_of_the_keys_is_an_error(keys: Path) -> None:
    with pytest.raises(ConfigError, match="needs both"):
        Subscriber(server_key=keys / "server.key")
    with pytest.raises(ConfigError, match="holds no secret key"):
        Subscriber(server_key=keys / "server.key", client_key=keys / "clients" / "rover.key")
    with pytest.raises(ConfigError, match="can't be read"):
        Subscriber(server_key=keys / "nowhere.key", client_key=keys / "rover.key_secret")
    with pytest.raises(ConfigError, match="can't be read"):
        ZeroMqOutput("tcp://127.0.0.1:*", {}, "a", keys=keys / "nowhere")


def test_what_the_clock_says_is_for_clients_too(engine: Engine, keys: Path) -> None:
    endpoint = f"tcp://127.0.0.1:{engine.output._clock_port}"
    with rover(engine, keys):
        mine = ClockSync(endpoint, clock_id(), credentials(keys / "server.key", keys / "rover.key_secret"))
        strangers = ClockSync(endpoint, clock_id(), None)
        assert wait_until(lambda: mine.offset is not None)
        offset = mine.offset
        assert offset is not None
        assert abs(offset.ns) <= offset.uncertainty_ns < 1_000 * NS_PER_MS
        assert strangers.offset is None
        mine.close()
        strangers.close()
