"""config: what a YAML file says, as typed structs; every error names file, line, key, expected and found.

Paths in a configuration are relative to the working directory of the process. `engine` is the whole of it,
`stream` a camera or file with its `camera` and `places`, `outputs` where results go; `values` are what single
fields may hold.
"""

from edge_engine.config.camera import CameraConfig, IntrinsicsConfig
from edge_engine.config.engine import Config, ControlConfig, RealtimeConfig, tracking_of
from edge_engine.config.loading import load_config, parse_config, revalidate
from edge_engine.config.outputs import (
    JsonlConfig,
    MavlinkConfig,
    MavlinkLandingConfig,
    MavlinkObstaclesConfig,
    McapConfig,
    MqttConfig,
    MqttTlsConfig,
    OutputsConfig,
    WebSocketConfig,
    ZeroMqConfig,
)
from edge_engine.config.stream import StreamConfig, TrackingConfig

__all__ = [
    "CameraConfig",
    "Config",
    "ControlConfig",
    "IntrinsicsConfig",
    "JsonlConfig",
    "MavlinkConfig",
    "MavlinkLandingConfig",
    "MavlinkObstaclesConfig",
    "McapConfig",
    "MqttConfig",
    "MqttTlsConfig",
    "OutputsConfig",
    "RealtimeConfig",
    "StreamConfig",
    "TrackingConfig",
    "WebSocketConfig",
    "ZeroMqConfig",
    "load_config",
    "parse_config",
    "revalidate",
    "tracking_of",
]
