"""Journal: who asked for what, and what came of it, as one structured line each in Python's logging.

    asked_by=rover command=pause stream=front outcome=done
    asked_by=rover command=use_model name=yolox outcome=refused reason='…'

A flood gets a few lines a minute, the next of which tells how many were left out; what is refused has lines
of its own, so that it hides nothing that was done.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import Any

import msgspec

from edge_engine.clock import NS_PER_S, monotonic_ns
from edge_engine.wire import Command, GetStatistics, command_name
from edge_engine.yaml.source import shown

LOGGER = "edge_engine.control"
DONE_A_MINUTE, REFUSED_A_MINUTE = 60, 10
_LONGEST_VALUE = 200

_log = logging.getLogger(LOGGER)
_log.addHandler(logging.NullHandler())  # silent unless the program that uses it listens


class Journal:
    """Written by the control thread."""

    def __init__(self) -> None:
        self._changes, self._readings = _Lines(DONE_A_MINUTE), _Lines(DONE_A_MINUTE)
        self._refusals = _Lines(REFUSED_A_MINUTE)

    def done(self, who: str, command: Command) -> None:
        fields = {"asked_by": who, **_fields(command), "outcome": "done"}
        if isinstance(command, GetStatistics):  # changes nothing, and may be asked for all the time
            self._readings.write(logging.DEBUG, fields)
        else:
            self._changes.write(logging.INFO, fields)

    def refused(self, who: str, command: Command | None, reason: str) -> None:
        """None: what was asked for could not be read."""
        fields = {"asked_by": who, **(_fields(command) if command is not None else {})}
        self._refusals.write(logging.WARNING, {**fields, "outcome": "refused", "reason": reason})


class _Lines:
    """So many a minute."""

    def __init__(self, most: int) -> None:
        self._written_ns: deque[int] = deque(maxlen=most)
        self._left_out = 0

    def write(self, level: int, fields: dict[str, Any]) -> None:
        now_ns, written = monotonic_ns(), self._written_ns
        if len(written) == written.maxlen and now_ns - written[0] < 60 * NS_PER_S:
            self._left_out += 1
            return
        written.append(now_ns)
        if self._left_out:
            fields = {**fields, "left_out": self._left_out}
        self._left_out = 0
        text = " ".join(f"{name}={_value(value)}" for name, value in fields.items())
        _log.log(level, "%s", text, extra={"control": fields})


def _fields(command: Command) -> dict[str, Any]:
    return {"command": command_name(command), **msgspec.structs.asdict(command)}


def _value(value: object) -> str:
    """What others have sent may stand in it: no line ends, no control characters."""
    text = shown(str(value), _LONGEST_VALUE)
    return text if text and " " not in text and "'" not in text else repr(text)
