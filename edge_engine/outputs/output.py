"""What every output can do. The publish thread alone calls `publish`, `beat` and `close`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from edge_engine.ledger import Counts
from edge_engine.result import Result


class Output(Protocol):
    """Somewhere that results go. It must not block a live engine."""

    def publish(self, result: Result, counts: Counts) -> None:
        """`counts` is the stream's ledger, this result included."""
        ...

    def beat(self, counts: Mapping[str, Counts]) -> None:
        """Called a few times a second, with results or without; `counts` of each stream that moves."""
        ...

    def close(self) -> None: ...
