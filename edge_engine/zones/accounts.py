"""Accounts: how many came, went and crossed since the session began, by label.

What is given out is replaced when it changes, never changed: other threads may hold it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from edge_engine.counting import Direction, EventKind


@dataclass
class ZoneAccount:
    """`inside`: those who came and didn't leave; a label that nobody has any more is left out."""

    name: str
    inside: dict[str, int] = field(default_factory=dict)
    _totals: dict[EventKind, dict[str, int]] = field(default_factory=dict)

    def of(self, kind: EventKind) -> dict[str, int]:
        return self._totals.get(kind, {})

    def note(self, kind: EventKind, label: str) -> None:
        self._totals[kind] = _with(self.of(kind), label, 1)
        self.inside = _with(self.inside, label, 1 if kind in ("entered", "appeared") else -1)


@dataclass
class LineAccount:
    name: str
    _totals: dict[Direction, dict[str, int]] = field(default_factory=dict)

    def of(self, direction: Direction) -> dict[str, int]:
        return self._totals.get(direction, {})

    def note(self, direction: Direction, label: str) -> None:
        self._totals[direction] = _with(self.of(direction), label, 1)


def _with(tally: dict[str, int], label: str, more: int) -> dict[str, int]:
    changed = {**tally, label: tally.get(label, 0) + more}
    return changed if changed[label] else {name: n for name, n in changed.items() if n}
