"""Session: ONNX Runtime with the right provider, threads and manners."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_engine.errors import ModelError, ProviderError, one_line
from edge_engine.models.providers import PROVIDERS, Setting, candidates, import_runtime, preload, why_not
from edge_engine.processor import allowed_cores

_ERRORS_ONLY = 3
_FATAL_ONLY = 4
_LEVELS = {"basic": "ORT_ENABLE_BASIC", "extended": "ORT_ENABLE_EXTENDED", "all": "ORT_ENABLE_ALL"}


def open_session(path: Path, setting: Setting) -> tuple[Any, str]:
    """An ONNX Runtime session of a model file, and our name of the provider that runs it.

    Raises ProviderError without a usable provider, ModelError when the file is no model.
    """
    runtime = import_runtime()
    reasons = []
    for name in candidates(runtime, setting.provider):
        preload(runtime, name)
        session, error = _try(runtime, path, name, setting)
        if session is not None:
            return session, name
        reasons.append(f"{name}: {why_not(runtime, name) or error}")
    raise ProviderError(
        f"provider {setting.provider!r} did not load ({'; '.join(reasons)}); "
        "mend that, or set `provider: auto` or `cpu`"
    )


def plain_options() -> Any:  # noqa: ANN401
    """For a session that is only to tell something: quiet, on one core."""
    options = import_runtime().SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = _FATAL_ONLY
    return options


def plain_session(model: bytes, options: Any = None) -> Any:  # noqa: ANN401
    """Of a model in memory, on the CPU; with plain_options unless told otherwise."""
    runtime = import_runtime()
    return runtime.InferenceSession(model, options or plain_options(), providers=["CPUExecutionProvider"])


def run_once(session: Any, pictures: NDArray[np.uint8]) -> list[NDArray[np.generic]]:  # noqa: ANN401
    """All outputs for pictures uint8 [n, height, width, 3]."""
    found: list[NDArray[np.generic]] = session.run(None, {session.get_inputs()[0].name: pictures})
    return found


def new_run_options() -> Any:  # noqa: ANN401
    """Setting `terminate` on it, from any thread, ends the inferences that were started with it."""
    return import_runtime().RunOptions()


def _try(runtime: Any, path: Path, provider: str, setting: Setting) -> tuple[Any | None, str]:  # noqa: ANN401
    """A session, or what kept the provider from starting. ModelError when it's the model's fault."""
    try:
        session = _create(runtime, path, provider, setting)
    except ModelError as error:
        if provider != "cpu":
            _create(runtime, path, "cpu", setting)
            return None, str(error)
        raise
    # ONNX Runtime falls back to the CPU in silence when a provider doesn't start.
    if session.get_providers()[0] == PROVIDERS[provider].name:
        return session, ""
    return None, "it found no device that it can use"


def _create(runtime: Any, path: Path, provider: str, setting: Setting) -> Any:  # noqa: ANN401
    options = runtime.SessionOptions()
    options.intra_op_num_threads = setting.threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY if provider == "cpu" else _FATAL_ONLY
    options.graph_optimization_level = getattr(runtime.GraphOptimizationLevel, _LEVELS[setting.optimisation])
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(setting.spinning)))
    options.add_session_config_entry("session.force_spinning_stop", "1")  # between inferences
    split = setting.split(allowed_cores())
    if split is not None:
        processors = ";".join(str(core + 1) for core in split[1])  # which ONNX Runtime counts from 1
        options.add_session_config_entry("session.intra_op_thread_affinities", processors)
    chosen = PROVIDERS[provider]
    chain: list[Any] = [(chosen.name, chosen.options(path, setting, runtime))]
    if provider != "cpu":
        chain.append(PROVIDERS["cpu"].name)
    try:
        return runtime.InferenceSession(str(path), options, providers=chain, enable_fallback=0)
    except Exception as error:  # ONNX Runtime raises a type of its own per status code
        raise ModelError(f"{path}: not a model that ONNX Runtime can load: {one_line(error)}") from None
