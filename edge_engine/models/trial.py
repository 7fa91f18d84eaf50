"""Trial: a changed graph is run beside what it was made from, before anybody relies on it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto

from edge_engine.models.providers import import_runtime


def open_trial(model: ModelProto) -> Any:  # noqa: ANN401 - onnxruntime has no types
    """A session on the CPU. Raises what ONNX Runtime raises."""
    options = import_runtime().SessionOptions()
    options.log_severity_level = 4
    return import_runtime().InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def run_trial(session: Any, pictures: NDArray[np.uint8]) -> list[NDArray[np.generic]]:  # noqa: ANN401
    """All outputs for pictures uint8 [n, height, width, 3]."""
    found: list[NDArray[np.generic]] = session.run(None, {session.get_inputs()[0].name: pictures})
    return found
