"""An engine in a process of its own, started as a user would, that can be controlled."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from edge_engine.client import Controller, Subscriber
from edge_engine.keys import CLIENTS, CONTROLLERS, make_client_keys, make_server_keys
from tests import clip
from tests.cli.program import start_program
from tests.rigs.peer import wait_until

MODEL, STANDBY = "nanodet-g", "blazeface"
PATIENCE_S = 60.0
"""Far more than an answer takes: a test that waits so long has found something."""


class RunningEngine:
    """The street clip as a camera named front. With `controllers` there are keys: they may control, and
    `rover` may listen."""

    def __init__(self, folder: Path, controllers: Sequence[str] = ()) -> None:
        self.results, self.control = f"ipc://{folder}/results", f"ipc://{folder}/control"
        self.keys = folder / "keys" if controllers else None
        if self.keys is not None:
            make_server_keys(self.keys)
            for name in controllers:
                make_client_keys(self.keys, name, CONTROLLERS)
            make_client_keys(self.keys, "rover", CLIENTS)
        keys = f", keys: {self.keys}" if controllers else ""
        path = folder / "engine.yaml"
        path.write_text(
            f"streams:\n  front: {{source: '{clip.URI}', loop: true, max_age_ms: 5000}}\n"
            f"model: {MODEL}\nstandby_models: [{STANDBY}]\ntrim: false\n"
            f"outputs: {{zeromq: {{endpoint: '{self.results}'{keys}}}}}\n"
            f"control: {{endpoint: '{self.control}'{keys}}}\n"
        )
        self.process = start_program("run", str(path))
        self.log = ""

    def secret(self, name: str) -> Path:
        assert self.keys is not None
        return self.keys / f"{name}.key_secret"

    def controller(self, name: str = "desk", timeout_s: float = PATIENCE_S) -> Controller:
        if self.keys is None:
            return Controller(self.control, timeout_s=timeout_s)
        server, own = self.keys / "server.key", self.secret(name)
        return Controller(self.control, server_key=server, client_key=own, timeout_s=timeout_s)

    def subscriber(self, name: str = "rover") -> Subscriber:
        if self.keys is None:
            return Subscriber(self.results)
        return Subscriber(self.results, server_key=self.keys / "server.key", client_key=self.secret(name))

    def stop(self) -> None:
        """`log` is what it said, from then on."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            out, err = self.process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        self.log = out + err
        assert self.process.returncode == 0, self.log

    def __enter__(self) -> RunningEngine:
        self.controller().statistics()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def is_known(subscriber: Subscriber) -> bool:
    """Whether all that is told of the stream has come."""
    return wait_until(
        lambda: (
            subscriber.latest() is not None
            and "front" in subscriber.described
            and "front" in subscriber.health
        )
    )


def comes(subscriber: Subscriber, results: int = 3) -> bool:
    """Whether so many more results come."""
    subscriber.latest()
    before = subscriber.stats.received
    return wait_until(
        lambda: subscriber.latest() is not None and subscriber.stats.received >= before + results
    )
