"""What every output can do. The publish thread alone calls `publish`, `beat` and `close`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from edge_engine.config import Config
from edge_engine.ledger import Counts
from edge_engine.result import Result
from edge_engine.state import Status
from edge_engine.wire import DescribeMessage


class Health(NamedTuple):
    """How a stream is: its ledger, its source's state, and the pictures that the source says it never got.
    `alarms`: by output, what keeps it from getting results out. `is_paused`: nothing is recognised, by
    request."""

    counts: Counts
    status: Status
    missed: int
    alarms: Mapping[str, str]
    is_paused: bool = False


class Circumstances(NamedTuple):
    """What an output is told when it is opened: the whole `config`; `descriptions` by stream, which are
    replaced in this very mapping when somebody changes what an engine does; this run's `session`."""

    config: Config
    descriptions: Mapping[str, DescribeMessage]
    session: str

    @property
    def waits(self) -> bool:
        """Whether the engine is lossless, so that results may wait for an output."""
        return self.config.policy == "lossless"


class Output(Protocol):
    """Somewhere that results go. It must not block a live engine. `alarm`: what keeps results from getting
    there now, in a line; empty while all is well. It may be set by any thread."""

    name: str
    alarm: str

    def publish(self, result: Result, counts: Counts) -> None:
        """`counts` is the stream's ledger, this result included."""
        ...

    def beat(self, health: Mapping[str, Health]) -> None:
        """Called a few times a second, with results or without; `health` of each stream that moves."""
        ...

    def close(self) -> None: ...
