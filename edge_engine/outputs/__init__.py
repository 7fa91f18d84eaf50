"""outputs: one file for each kind of place that results go to."""

from __future__ import annotations

from importlib import import_module

import msgspec

from edge_engine.errors import ConfigError
from edge_engine.outputs.output import Circumstances, Output

OUTPUTS = {
    "zeromq": "zeromq:open_output",
    "jsonl": "jsonl:open_output",
    "mcap": "mcap:open_output",
    "websocket": "websocket:open_output",
    "mavlink": "mavlink.output:open_output",
    "mqtt": "mqtt.output:open_output",
}
"""By their keys in a configuration: what opens each, called with (its configuration, Circumstances); its
module loads when first asked for. The extra that brings an output's packages is called like its key."""


def open_outputs(circumstances: Circumstances) -> list[Output]:
    """Those that the configuration names. Raises ConfigError, also for a package that isn't installed."""
    named = msgspec.structs.asdict(circumstances.config.outputs).items()
    return [_open(key, asked, circumstances) for key, asked in named if asked is not None]


def _open(key: str, asked: msgspec.Struct, circumstances: Circumstances) -> Output:
    module, attribute = OUTPUTS[key].split(":")
    try:
        kind = import_module(f"{__name__}.{module}")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith(__name__.partition(".")[0]):
            raise
        raise ConfigError(
            f"outputs.{key}: needs {error.name}, which isn't installed: pip install 'edge-engine[{key}]'"
        ) from None
    output: Output = getattr(kind, attribute)(asked, circumstances)
    return output
