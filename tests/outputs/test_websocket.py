"""The WebSocket output, with real clients: what they get, who may, and what nobody can do to the engine."""

from __future__ import annotations

import http.client
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from edge_engine.clock import clock_id, monotonic_ns
from edge_engine.config import load_config
from edge_engine.errors import ConfigError
from edge_engine.frame import Frame
from edge_engine.ledger import Counts
from edge_engine.outputs.doorkeeper import Doorkeeper
from edge_engine.outputs.output import Health
from edge_engine.outputs.rows import message_of
from edge_engine.outputs.websocket import WebSocketOutput
from edge_engine.result import Objects, Result
from edge_engine.state import Status, StreamState
from edge_engine.wire import (
    ClockReply,
    ClockRequest,
    DescribeMessage,
    HealthMessage,
    ResultMessage,
    decode,
    decode_clock,
    encode,
    encode_clock,
)
from tests.cli.program import run_program
from tests.rigs.peer import PATIENCE_S, wait_until

DESCRIBED = DescribeMessage(stream="front", session="a", model="m", task="detect", labels=(), max_age_ms=500)
HEALTH = {"front": Health(Counts(1, 1, 0, {}), Status(StreamState.RUNNING, "", 0), 0, {})}


def make_output(**options: object) -> WebSocketOutput:
    return WebSocketOutput("127.0.0.1:*", {"front": DESCRIBED}, "a", **options)  # type: ignore[arg-type]


@pytest.fixture
def output() -> Iterator[WebSocketOutput]:
    output = make_output()
    yield output
    output.close()


@contextmanager
def join(output: WebSocketOutput, **options: object) -> Iterator[ClientConnection]:
    """A client that has got the description, from when on it gets everything."""
    with connect(f"ws://{output.endpoint}", compression=None, **options) as client:  # type: ignore[arg-type]
        assert decode(received(client)) == DESCRIBED
        yield client


def received(client: ClientConnection) -> bytes:
    data = client.recv(timeout=PATIENCE_S)
    assert isinstance(data, bytes)
    return data


def make_result(number: int, padding: int = 0) -> tuple[Result, Counts]:
    now_ns = monotonic_ns()
    frame = Frame("front", number, now_ns, 0, (640, 480), None, doubt="x" * padding)
    result = Result(frame, Objects.none(), ("person",), "m", "a", now_ns + 500_000_000)
    return result, Counts(number, number, 0, {})


def test_a_browser_gets_the_very_bytes_that_zeromq_has(output: WebSocketOutput) -> None:
    with join(output) as client:
        result, counts = make_result(1)
        output.publish(result, counts)
        assert received(client) == encode(message_of(result, counts))


def test_every_client_gets_everything_while_it_keeps_up(output: WebSocketOutput) -> None:
    with join(output) as one, join(output) as another:
        for number in range(1, 51):
            output.publish(*make_result(number))
            for client in (one, another):
                message = decode(received(client))
                assert isinstance(message, ResultMessage)
                assert message.seq == number


def test_heartbeats_come_and_changes_at_once(output: WebSocketOutput) -> None:
    with join(output) as client:
        failed = HEALTH["front"]._replace(status=Status(StreamState.FAILED, "unplugged", 0))
        for health, state in ((HEALTH, "running"), ({"front": failed}, "failed")):
            output.beat(health)
            output.beat(health)
            message = decode(received(client))
            assert isinstance(message, HealthMessage)
            assert message.state == state


def test_a_description_that_changes_is_told_to_all() -> None:
    descriptions = {"front": DESCRIBED}
    output = WebSocketOutput("127.0.0.1:*", descriptions, "a")
    with join(output) as client:
        descriptions["front"] = msgspec.structs.replace(DESCRIBED, classes=("person",))
        output.beat({})
        output.beat({})
        output.publish(*make_result(1))
        found = [decode(received(client)) for _ in range(2)]
        assert found[0] == descriptions["front"]
        assert isinstance(found[1], ResultMessage)
    output.close()


def test_who_asks_for_the_time_is_told(output: WebSocketOutput) -> None:
    with join(output) as client:
        before_ns = monotonic_ns()
        client.send(encode_clock(ClockRequest(sent_ns=7)))
        reply = decode_clock(received(client), ClockReply)
        assert (reply.asked_ns, reply.clock) == (7, clock_id())
        assert before_ns <= reply.received_ns <= reply.answered_ns <= monotonic_ns()


def test_a_client_that_does_not_read_costs_the_others_and_the_engine_nothing(output: WebSocketOutput) -> None:
    """What it gets in the end is new, and little: the old results weren't kept for it."""
    with join(output) as good, join(output, max_queue=1) as stuck:
        for number in range(1, 301):
            output.publish(*make_result(number, padding=10_000))
            while True:
                message = decode(received(good))
                assert isinstance(message, ResultMessage)
                if message.seq == number:
                    break
        seen = list[int]()
        while not seen or seen[-1] != 300:
            message = decode(received(stuck))
            assert isinstance(message, ResultMessage)
            seen.append(message.seq)
        assert len(seen) < 250, "it got a backlog"


def test_strangers_who_send_rubbish_harm_nobody(output: WebSocketOutput) -> None:
    host, _, port = output.endpoint.rpartition(":")
    rubbish = [
        b"",
        b"\0" * 4096,
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /x HTTP/9\r\n" * 900,
        bytes(range(256)) * 40,
    ]
    with join(output) as client:
        for number in range(40):
            with socket.create_connection((host, int(port))) as stranger:
                try:
                    stranger.sendall(rubbish[number % len(rubbish)])
                except OSError:
                    continue
        with join(output) as talker:
            talker.send("what is the time?")
            talker.send(b"\xff" * 200)
            talker.send(b"x" * 100_000)
            with pytest.raises(ConnectionClosed):
                talker.recv(timeout=PATIENCE_S)
        output.publish(*make_result(1))
        assert isinstance(decode(received(client)), ResultMessage)
    assert not output.alarm


@pytest.mark.parametrize(
    ("origin", "host", "may"),
    [
        (None, "127.0.0.1:8765", True),
        ("http://127.0.0.1:8765", "127.0.0.1:8765", True),
        ("http://localhost:8765", "localhost:8765", True),
        ("http://[::1]:8765", "[::1]:8765", True),
        ("http://192.168.1.4:8765", "192.168.1.4:8765", True),
        ("https://shop.example", "elsewhere", True),
        ("http://shop.example", "127.0.0.1:8765", False),
        ("http://127.0.0.1:9999", "127.0.0.1:8765", False),
        ("http://evil.example:8765", "evil.example:8765", False),
        ("http://127.0.0.1.evil.example:8765", "127.0.0.1.evil.example:8765", False),
        ("null", "127.0.0.1:8765", False),
        ("http://[", "[", False),
    ],
)
def test_only_the_engines_own_page_and_listed_sites_may_read(
    origin: str | None, host: str, may: bool
) -> None:
    assert Doorkeeper(["https://shop.example"]).lets_in(origin, host) is may


def test_a_foreign_page_is_turned_away_at_the_door(output: WebSocketOutput) -> None:
    with pytest.raises(InvalidStatus, match="403"), join(output, origin="http://evil.example"):
        pass
    with join(output, origin=f"http://{output.endpoint}"):
        pass


def test_the_page_and_its_modules_are_served(output: WebSocketOutput) -> None:
    wanted = {"/": "text/html", "/edge_engine.js": "text/javascript", "/wire.js": "text/javascript"}
    for path, kind in wanted.items():
        server = http.client.HTTPConnection(output.endpoint, timeout=PATIENCE_S)
        server.request("GET", path)
        response = server.getresponse()
        assert response.status == 200
        assert response.headers["Content-Type"].startswith(kind)
        assert response.read()
        server.close()
    server = http.client.HTTPConnection(output.endpoint, timeout=PATIENCE_S)
    server.request("GET", "/../wire.py")
    assert server.getresponse().status == 404
    server.close()


def test_an_address_open_to_others_must_be_meant() -> None:
    with pytest.raises(ConfigError, match="open to other machines; expected `insecure: true`"):
        WebSocketOutput("0.0.0.0:*", {}, "a")
    WebSocketOutput("0.0.0.0:*", {}, "a", insecure=True).close()


def test_an_address_that_is_taken_is_one_line(output: WebSocketOutput) -> None:
    with pytest.raises(ConfigError, match=r"can't bind 127\.0\.0\.1:[0-9]+: .*is another program there"):
        WebSocketOutput(output.endpoint, {}, "a")


def test_closing_ends_the_connections_and_frees_the_address() -> None:
    output = make_output()
    with join(output) as client:
        output.close()
        with pytest.raises(ConnectionClosed):
            client.recv(timeout=PATIENCE_S)
    again = WebSocketOutput(output.endpoint, {}, "a")
    assert again.endpoint == output.endpoint
    again.close()
    assert not any(thread.name == "websocket" for thread in threading.enumerate())


def test_a_crowd_is_kept_out_and_those_inside_go_on(output: WebSocketOutput) -> None:
    with ExitStack() as crowd:
        clients = [crowd.enter_context(join(output)) for _ in range(64)]
        with pytest.raises(InvalidStatus, match="503"), join(output):
            pass
        output.publish(*make_result(1))
        assert all(isinstance(decode(received(client)), ResultMessage) for client in clients)


def test_who_leaves_is_forgotten(output: WebSocketOutput) -> None:
    with join(output):
        assert output._viewers
    assert wait_until(lambda: not output._viewers)


def test_configurations_say_it(tmp_path: Path) -> None:
    text = "streams: {a: {source: 'test:'}}\noutputs: {websocket: %s}\n"
    path = tmp_path / "a.yaml"
    path.write_text(text % "{}")
    websocket = load_config(path).outputs.websocket
    assert websocket is not None
    assert websocket.endpoint == "127.0.0.1:8765"
    for wrong in ("{endpoint: 'tcp://127.0.0.1:1'}", "{endpoint: '127.0.0.1'}", "{origins: [shop.example]}"):
        path.write_text(text % wrong)
        with pytest.raises(ConfigError, match=r"a\.yaml:2"):
            load_config(path)


def test_a_run_says_where_to_look(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("streams: {a: {source: 'test:'}}\noutputs: {websocket: {endpoint: '127.0.0.1:*'}}\n")
    done = run_program("run", str(path), "--frames", "1")
    assert done.returncode == 0, done.stderr
    assert re.search(r"in a browser: http://127\.0\.0\.1:[0-9]+", done.stdout)
