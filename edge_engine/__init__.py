"""edge_engine: camera frames in, fresh detections out.

What a user imports. Names load when first asked for, so that a controller that needs only
`Subscriber` or `Controller` doesn't pay for OpenCV, numba and ONNX Runtime.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge_engine.client import Controller as Controller
    from edge_engine.client import Subscriber as Subscriber
    from edge_engine.config import Config as Config
    from edge_engine.config import load_config as load_config
    from edge_engine.engine import Engine as Engine
    from edge_engine.result import Result as Result
    from edge_engine.sender import FrameSender as FrameSender

__version__ = "0.1.0"
__all__ = [
    "Config",
    "Controller",
    "Engine",
    "FrameSender",
    "Result",
    "Subscriber",
    "__version__",
    "load_config",
]

_HOMES = {
    "Config": "config",
    "Controller": "client",
    "Engine": "engine",
    "FrameSender": "sender",
    "Result": "result",
    "Subscriber": "client",
    "load_config": "config",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any public name
    if name not in _HOMES:
        raise AttributeError(f"module 'edge_engine' has no attribute {name!r}")
    return getattr(import_module(f"edge_engine.{_HOMES[name]}"), name)
