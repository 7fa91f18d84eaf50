"""outputs: one file for each kind of place that results go to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from edge_engine.config import OutputsConfig
from edge_engine.outputs.jsonl import JsonlOutput
from edge_engine.outputs.output import Output
from edge_engine.outputs.zeromq import ZeroMqOutput
from edge_engine.wire import DescribeMessage


def open_outputs(
    config: OutputsConfig, descriptions: Mapping[str, DescribeMessage], session: str, *, waits: bool
) -> list[Output]:
    """Those that the configuration names. `waits`: results may wait for an output. Raises ConfigError."""
    outputs: list[Output] = []
    if config.zeromq is not None:
        to, keys = config.zeromq, Path(config.zeromq.keys) if config.zeromq.keys is not None else None
        outputs.append(ZeroMqOutput(to.endpoint, descriptions, session, keys=keys, insecure=to.insecure))
    if config.jsonl is not None:
        file = config.jsonl
        outputs.append(JsonlOutput(Path(file.path), file.max_mb, file.files, waits=waits))
    return outputs
