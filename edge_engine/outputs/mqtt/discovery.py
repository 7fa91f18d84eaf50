"""Discovery: a stream's labels as Home Assistant's sensors: whether there are any, and how many."""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import Any

import msgspec

from edge_engine.outputs.mqtt.board import Board

_IS_THERE = "{{ 'ON' if value | int(0) > 0 else 'OFF' }}"


class Announcer:
    """Of one stream. The sensors have no value while the engine or the stream is offline."""

    def __init__(self, discovery: str, prefix: str, stream: str, model: str, board: Board) -> None:
        """`discovery`: the first level of the topics that Home Assistant listens to."""
        self._discovery, self._board = discovery, board
        self._node = _id(f"{prefix}_{stream}")
        self._shared = {
            "availability": [{"topic": f"{prefix}/available"}, {"topic": f"{prefix}/{stream}/available"}],
            "availability_mode": "all",
            "device": {
                "identifiers": [self._node],
                "name": f"{prefix} {stream}",
                "manufacturer": "edge_engine",
                "model": model,
            },
            "origin": {"name": "edge_engine", "sw_version": version("edge-engine")},
        }

    def announce(self, label: str, topic: str) -> None:
        """`topic` is where the label's count is."""
        there = {"value_template": _IS_THERE, "device_class": "occupancy"}
        self._announce("binary_sensor", label, topic, label, there)
        self._announce("sensor", f"{label}_count", topic, f"{label} count", {"state_class": "measurement"})

    def _announce(self, component: str, object_id: str, topic: str, name: str, more: dict[str, Any]) -> None:
        own = {"name": name, "unique_id": f"{self._node}_{_id(object_id)}", "state_topic": topic}
        where = f"{self._discovery}/{component}/{self._node}/{_id(object_id)}/config"
        self._board.set(where, msgspec.json.encode({**own, **more, **self._shared}))


def _id(text: str) -> str:
    """Home Assistant takes these alone."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", text)
