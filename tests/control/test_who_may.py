"""Who may control an engine: controllers' keys, as long as they lie there, and nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_engine import Controller, Subscriber
from edge_engine.config import Config, ControlConfig, StreamConfig
from edge_engine.control.commands import Answer
from edge_engine.control.journal import LOGGER, REFUSED_A_MINUTE
from edge_engine.control.service import ControlService
from edge_engine.engine import Engine
from edge_engine.errors import ConfigError, RefusedError, SourceError
from edge_engine.keys import CONTROLLERS, make_client_keys, make_server_keys
from edge_engine.wire import GetStatistics, Pause, SetThresholds
from tests.control.running import RunningEngine, comes, is_known
from tests.control.session import Session
from tests.rigs.peer import wait_until

SOON_S = 0.5
"""For an answer that must not come: an engine that would give it has long done so."""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEngine]:
    with RunningEngine(tmp_path_factory.mktemp("guarded"), ["desk", "fired"]) as engine:
        yield engine


def is_untouched(subscriber: Subscriber, threshold: float) -> bool:
    return (
        comes(subscriber)
        and is_known(subscriber)
        and not subscriber.health["front"].paused
        and subscriber.described["front"].score_threshold == threshold
    )


def test_nobody_without_a_controllers_key_changes_anything(engine: RunningEngine, tmp_path: Path) -> None:
    assert engine.keys is not None
    server, other = engine.keys / "server.key", tmp_path / "other"
    make_server_keys(other)
    thief = make_client_keys(other, "thief", CONTROLLERS)
    strangers = {
        "no key": Controller(engine.control, timeout_s=SOON_S),
        "a listener's key": engine.controller("rover", timeout_s=SOON_S),
        "a key of another engine's": Controller(
            engine.control, server_key=server, client_key=thief, timeout_s=SOON_S
        ),
        "another engine's key": Controller(
            engine.control,
            server_key=other / "server.key",
            client_key=engine.secret("desk"),
            timeout_s=SOON_S,
        ),
    }
    with engine.subscriber() as subscriber:
        assert comes(subscriber)
        assert is_known(subscriber)
        threshold = subscriber.described["front"].score_threshold
        for stranger in strangers.values():
            with pytest.raises(SourceError, match="may this key control it"):
                stranger.pause("front")
        assert is_untouched(subscriber, threshold)


def test_a_controller_may_listen_as_well(engine: RunningEngine) -> None:
    with engine.subscriber("desk") as subscriber:
        assert comes(subscriber)
    assert engine.controller().statistics().streams["front"].published


def test_a_key_that_is_taken_away_is_cut_off_in_the_midst_of_its_session(engine: RunningEngine) -> None:
    assert engine.keys is not None
    allowed = engine.keys / CONTROLLERS / "fired.key"
    with Session(engine, "fired") as fired, engine.subscriber() as subscriber:
        assert fired.ask(GetStatistics()) is not None
        assert comes(subscriber)
        assert is_known(subscriber)
        threshold = subscriber.described["front"].score_threshold
        allowed.unlink()
        assert wait_until(lambda: fired.ask(GetStatistics(), SOON_S) is None)
        assert fired.ask(Pause(stream="front"), SOON_S) is None
        assert fired.ask(SetThresholds(stream="front", score_threshold=0.9), SOON_S) is None
        assert is_untouched(subscriber, threshold)
    with pytest.raises(SourceError):
        engine.controller("fired", timeout_s=SOON_S).pause("front")
    assert engine.controller().statistics().streams


def test_who_asked_for_what_is_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    keys = tmp_path / "keys"
    make_server_keys(keys)
    own = make_client_keys(keys, "desk", CONTROLLERS)
    config = Config(
        streams={"front": StreamConfig(source="test:64x48@30")},
        trim=False,
        control=ControlConfig(endpoint=f"ipc://{tmp_path}/control", keys=str(keys)),
    )
    caplog.set_level("INFO", LOGGER)
    with Engine(config, collect=False) as engine:
        assert engine.control is not None
        desk = Controller(
            engine.control.endpoint, server_key=keys / "server.key", client_key=own, timeout_s=60
        )
        desk.pause("front")
        for _ in range(REFUSED_A_MINUTE + 5):
            with pytest.raises(RefusedError):
                desk.pause("rear\nasked_by=local")
        desk.resume("front")
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0] == "asked_by=desk command=pause stream=front outcome=done"
    assert lines[-1] == "asked_by=desk command=resume stream=front outcome=done"
    assert len(lines) == 2 + REFUSED_A_MINUTE
    assert all("outcome=refused" in line and "\n" not in line for line in lines[1:-1])


def test_an_open_endpoint_is_refused_unless_it_is_meant(tmp_path: Path) -> None:
    def open_service(**terms: object) -> None:
        config = ControlConfig(endpoint="tcp://0.0.0.0:*", **terms)  # type: ignore[arg-type]
        ControlService(config, lambda command: Answer()).close()

    with pytest.raises(ConfigError, match=r"control.endpoint: .* is open to other machines; expected `keys`"):
        open_service()
    open_service(insecure=True)
    make_server_keys(tmp_path / "keys")
    open_service(keys=str(tmp_path / "keys"))


def test_an_address_that_is_taken_is_one_line() -> None:
    first = ControlService(ControlConfig(endpoint="tcp://127.0.0.1:*"), lambda command: Answer())
    with pytest.raises(ConfigError, match=r"control.endpoint: can't bind"):
        ControlService(ControlConfig(endpoint=first.endpoint), lambda command: Answer())
    first.close()
