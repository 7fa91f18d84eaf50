"""MQTT: what another client hears from a broker in another process, whatever happens to the broker."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from edge_engine.config import MqttConfig, MqttTlsConfig, OutputsConfig, parse_config
from edge_engine.errors import ConfigError
from edge_engine.outputs.mqtt.output import open_output
from edge_engine.outputs.output import Output
from tests import clip
from tests.cli.program import start_program
from tests.outputs.made import COUNTS, RUNNING, circumstances, objects, result
from tests.rigs.peer import Peer, wait_until

PERSON = ("person", (10.0, 20.0, 50.0, 120.0))
CAR = ("car", (100.0, 20.0, 200.0, 90.0))


class Listener:
    """`said`: by topic, all that was heard, the newest last. Its own thread writes it."""

    def __init__(self, port: int, ca: str | None = None, **login: str) -> None:
        self.said: dict[str, list[str]] = {}
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        if ca is not None:
            self._client.tls_set(ca)
        if login:
            self._client.username_pw_set(login["username"], login["password"])
        self._client.on_message = self._hear
        self._client.connect("127.0.0.1", port)
        self._client.subscribe("#")
        self._client.loop_start()

    def _hear(self, client: paho.Client, data: object, message: paho.MQTTMessage) -> None:
        self.said.setdefault(message.topic, []).append(message.payload.decode())

    def last(self, topic: str) -> str | None:
        return self.said.get(topic, [None])[-1]

    def hears(self, topic: str, text: str) -> bool:
        return wait_until(lambda: self.last(topic) == text)

    def close(self) -> None:
        self._client.loop_stop()
        self._client.disconnect()


@contextmanager
def listening(port: int, ca: str | None = None, **login: str) -> Iterator[Listener]:
    listener = Listener(port, ca, **login)
    yield listener
    listener.close()


@pytest.fixture(scope="module")
def broker() -> Iterator[Peer]:
    with Peer("mqtt_broker") as peer:
        yield peer


@pytest.fixture
def hear(broker: Peer) -> Iterator[Listener]:
    with listening(broker.port) as listener:
        yield listener


@contextmanager
def opened(port: int, prefix: str, **more: Any) -> Iterator[Output]:  # noqa: ANN401
    asked = MqttConfig(host="127.0.0.1", port=port, prefix=prefix, interval_ms=10, **more)
    output = open_output(asked, circumstances(OutputsConfig(mqtt=asked), "front"))
    output.beat({"front": RUNNING})
    yield output
    output.close()


def publish(output: Output, *rows: tuple[str, tuple[float, float, float, float]], **more: Any) -> None:  # noqa: ANN401
    ids = more.pop("ids", None)
    output.publish(result("front", objects(rows, ids), **more), COUNTS)


def test_how_many_there_are_is_told_when_it_changes_and_kept_for_who_comes_later(
    broker: Peer, hear: Listener
) -> None:
    with opened(broker.port, "counts") as output:
        publish(output, PERSON, PERSON, CAR)
        assert hear.hears("counts/front/person", "2")
        assert hear.hears("counts/front/car", "1")
        assert hear.hears("counts/front/all", "3")
        assert hear.hears("counts/front/available", "online")
        assert hear.hears("counts/available", "online")
        publish(output, CAR)
        assert hear.hears("counts/front/person", "0")
        with listening(broker.port) as latecomer:
            assert latecomer.hears("counts/front/person", "0")
            assert latecomer.hears("counts/front/car", "1")
    assert hear.hears("counts/available", "offline"), "a farewell"


def test_a_stream_without_valid_results_is_offline_and_its_counts_are_no_longer_said_to_hold(
    broker: Peer, hear: Listener
) -> None:
    with opened(broker.port, "stale", stale_after_ms=300) as output:
        publish(output, PERSON)
        assert hear.hears("stale/front/available", "online")
        publish(output, PERSON, doubt="it stands still")
        assert hear.hears("stale/front/available", "offline")
        assert hear.last("stale/available") == "online"
        publish(output, PERSON, PERSON)
        assert hear.hears("stale/front/available", "online")
        assert hear.hears("stale/front/person", "2")


def test_a_tracked_object_comes_is_seen_and_goes(broker: Peer, hear: Listener) -> None:
    def told() -> list[Any]:
        return [json.loads(text) for text in hear.said.get("tracked/events", [])]

    with opened(broker.port, "tracked") as output:
        publish(output, PERSON, ids=[7])
        assert wait_until(lambda: len(told()) == 1)

        def goes() -> bool:
            publish(output, CAR, ids=[8])
            return any(event["type"] == "end" for event in told())

        assert wait_until(goes)
    came, gone = (next(e for e in told() if e["type"] == kind) for kind in ("new", "end"))
    assert came["after"] == came["before"]
    assert (came["after"]["label"], came["after"]["camera"]) == ("person", "front")
    assert came["after"]["box"] == [10, 20, 50, 120]
    assert came["after"]["end_time"] is None
    assert (gone["after"]["id"], gone["after"]["end_time"]) == (
        came["after"]["id"],
        came["after"]["frame_time"],
    )


def test_home_assistant_finds_a_sensor_for_each_label(broker: Peer, hear: Listener) -> None:
    with opened(broker.port, "found", discovery="homeassistant") as output:
        publish(output, ("traffic light", (0.0, 0.0, 9.0, 9.0)))
        topic = "homeassistant/binary_sensor/found_front/traffic_light/config"
        assert wait_until(lambda: hear.last(topic))
        sensor = json.loads(hear.last(topic) or "")
        assert sensor["state_topic"] == "found/front/traffic light"
        assert {each["topic"] for each in sensor["availability"]} == {
            "found/available",
            "found/front/available",
        }
        assert hear.hears(sensor["state_topic"], "1")


def test_whole_results_come_as_often_as_asked(broker: Peer, hear: Listener) -> None:
    with opened(broker.port, "whole", result_every_ms=1) as output:
        publish(output, PERSON, seq=5)
        assert wait_until(lambda: hear.last("whole/front/result"))
        said = json.loads(hear.last("whole/front/result") or "")
        assert (said["seq"], said["objects"][0]["label"]) == (5, "person")


def test_what_a_run_before_left_behind_is_set_right(broker: Peer, hear: Listener) -> None:
    with opened(broker.port, "again") as output:
        publish(output, PERSON)
        assert hear.hears("again/front/person", "1")
    with opened(broker.port, "again") as output:
        publish(output, CAR)
        assert hear.hears("again/front/person", "0")


def test_a_broker_that_goes_is_an_alarm_and_hears_all_anew_when_it_is_back() -> None:
    with Peer("mqtt_broker") as broker, opened(broker.port, "back") as output:
        publish(output, PERSON)
        assert wait_until(lambda: not output.alarm)
        with listening(broker.port) as listener:
            assert listener.hears("back/front/person", "1")
        broker.kill()
        assert wait_until(lambda: f"mqtt://127.0.0.1:{broker.port}: " in output.alarm)
        publish(output, PERSON, CAR)
        broker.start()
        with listening(broker.port) as listener:
            assert listener.hears("back/front/car", "1")
        assert wait_until(lambda: not output.alarm)


def test_a_broker_that_stands_still_is_given_up_and_holds_nobody_up() -> None:
    with Peer("mqtt_broker") as broker, opened(broker.port, "still", keepalive_s=1) as output:
        assert wait_until(lambda: not output.alarm)
        broker.signal(signal.SIGSTOP)
        try:
            assert wait_until(lambda: publish(output, PERSON) is None and output.alarm)
        finally:
            broker.signal(signal.SIGCONT)
        assert wait_until(lambda: not output.alarm)


def test_who_never_answers_is_an_alarm() -> None:
    with socket.create_server(("127.0.0.1", 0)) as hole, opened(hole.getsockname()[1], "hole") as output:
        assert wait_until(lambda: "no answer from an MQTT broker" in output.alarm)


def test_a_refused_password_is_an_alarm_that_does_not_tell_it(caplog: pytest.LogCaptureFixture) -> None:
    with Peer("mqtt_broker", "--user", "robot:right-one") as broker:
        with opened(broker.port, "login", username="robot", password="wrong-one") as output:
            assert wait_until(lambda: "refuses" in output.alarm)
            assert "wrong-one" not in output.alarm + caplog.text
        with (
            opened(broker.port, "login", username="robot", password="right-one") as output,
            listening(broker.port, username="robot", password="right-one") as listener,
        ):
            publish(output, PERSON)
            assert listener.hears("login/front/person", "1")


@pytest.mark.parametrize("kind", ["file", "env"])
def test_the_password_may_stand_elsewhere(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "password").write_text("right-one\n")
    monkeypatch.setenv("ROBOTS_PASSWORD", "right-one")
    where = {
        "file": {"password_file": str(tmp_path / "password")},
        "env": {"password_env": "ROBOTS_PASSWORD"},
    }
    with (
        Peer("mqtt_broker", "--user", "robot:right-one") as broker,
        opened(broker.port, "elsewhere", username="robot", **where[kind]) as output,
        listening(broker.port, username="robot", password="right-one") as listener,
    ):
        publish(output, PERSON)
        assert listener.hears("elsewhere/front/person", "1")


def certificate(folder: Path) -> tuple[Path, Path]:
    """For 127.0.0.1, signed by itself, and its key."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *names]
    subprocess.run([*made, "-out", str(cert), "-keyout", str(key)], check=True, capture_output=True)
    return cert, key


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate with openssl")
@pytest.mark.filterwarnings("ignore:unclosed <ssl:ResourceWarning")  # paho's, when the handshake fails
def test_a_broker_with_tls_is_believed_only_with_a_certificate_that_is_vouched_for(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    with Peer("mqtt_broker", "--cert", str(cert), "--key", str(key)) as broker:
        with (
            opened(broker.port, "tls", tls=MqttTlsConfig(ca=str(cert))) as output,
            listening(broker.port, ca=str(cert)) as listener,
        ):
            publish(output, PERSON)
            assert listener.hears("tls/front/person", "1")
        with opened(broker.port, "tls", tls=MqttTlsConfig()) as output:
            assert wait_until(lambda: "certificate verify failed" in output.alarm)


def test_a_stream_that_is_paused_says_so_and_is_offline_at_once(broker: Peer, hear: Listener) -> None:
    with opened(broker.port, "paused", stale_after_ms=60_000) as output:
        publish(output, PERSON)
        assert hear.hears("paused/front/available", "online")
        output.beat({"front": RUNNING._replace(is_paused=True)})
        assert hear.hears("paused/front/available", "offline")
        assert json.loads(hear.last("paused/front/state") or "")["state"] == "paused"


def open_from(text: str) -> None:
    source = "streams: {front: {source: 'push:'}}"
    asked = parse_config(f"{source}\noutputs: {{mqtt: {text}}}", "x").outputs
    assert asked.mqtt is not None
    open_output(asked.mqtt, circumstances(asked, "front"))


def refused(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        open_from(text)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_cannot_be_used_is_refused_in_a_line_without_the_password() -> None:
    assert "password_env" in refused("{host: h, password_env: NOT_THERE_AT_ALL}")
    assert "can't be read" in refused("{host: h, password_file: /not/there}")
    both = refused("{host: h, password: s3cret, password_env: HOME}")
    assert "found several" in both
    assert "s3cret" not in both + repr(MqttConfig(host="h", password="s3cret"))
    assert "outputs.mqtt.prefix" in refused("{host: h, prefix: 'a/#'}")
    assert "outputs.mqtt.tls" in refused("{host: h, tls: {ca: /not/there.pem}}")


@pytest.mark.parametrize("password", ["0123456", "123456", "1.5", "true", "[hidden]", "!hidden x", "1" * 60])
def test_no_error_shows_a_password_however_it_is_written(password: str) -> None:
    """YAML takes some for numbers, and worse; as text it is what the broker gets."""
    lines = f"{{host: h, password: {password}, qos: 7}}"
    with pytest.raises(ConfigError) as caught:
        parse_config(f"streams: {{a: {{source: 'push:'}}}}\noutputs: {{mqtt: {lines}}}", "x")
    assert password.strip("[]!x ") not in str(caught.value)
    if password[0] not in "[!":
        asked = parse_config(f"streams: {{a: {{source: 'push:'}}}}\noutputs: {{mqtt: {lines[:-9]}}}}}", "x")
        assert asked.outputs.mqtt is not None
        assert asked.outputs.mqtt.password == password


def test_an_engine_that_is_killed_is_offline_by_its_last_will(broker: Peer, tmp_path: Path) -> None:
    (tmp_path / "engine.yaml").write_text(
        f"streams: {{street: {{source: '{clip.URI}', loop: true}}}}\ntracking: {{}}\n"
        f"outputs: {{mqtt: {{host: 127.0.0.1, port: {broker.port}, prefix: killed}}}}\n"
    )
    engine = start_program("run", str(tmp_path / "engine.yaml"))
    try:
        with listening(broker.port) as listener:
            seen: Callable[[], bool] = lambda: (listener.last("killed/street/person") or "0") != "0"  # noqa: E731
            assert wait_until(seen)
            assert wait_until(lambda: listener.last("killed/events"))
            assert listener.hears("killed/available", "online")
            engine.kill()
            assert listener.hears("killed/available", "offline")
    finally:
        engine.kill()
        engine.communicate()
