"""Inference sessions: providers by name, threads, and one line when something is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edge_engine.errors import ModelError, ProviderError

PROVIDERS = {
    "cuda": "CUDAExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
"""Our names → ONNX Runtime's, best first: `auto` takes the first that is there and loads."""

_ERRORS_ONLY = 3


def open_session(path: Path, provider: str, threads: int) -> tuple[Any, str]:
    """An ONNX Runtime session of a model file, and our name of the provider that runs it.

    `threads` is what one `run` uses. Raises ProviderError without a usable provider, ModelError when
    the file is no model.
    """
    runtime = _import_runtime()
    for name in _candidates(runtime, provider):
        session = _create(runtime, path, name, threads)
        # ONNX Runtime falls back to the CPU in silence when a provider's libraries don't load.
        if session.get_providers()[0] == PROVIDERS[name]:
            return session, name
    raise ProviderError(
        f"provider {provider!r} did not load: its libraries or its device are missing; "
        "try `provider: auto` or `cpu`"
    )


def new_run_options() -> Any:  # noqa: ANN401
    """Setting `terminate` on it, from any thread, ends the inferences that were started with it."""
    return _import_runtime().RunOptions()


def _import_runtime() -> Any:  # noqa: ANN401 - onnxruntime has no types
    try:
        import onnxruntime
    except ImportError as error:
        raise ProviderError(
            f"onnxruntime can't be imported ({_one_line(error)}): pip install 'edge-engine[cpu]' "
            "or, with an NVIDIA GPU, pip install 'edge-engine[gpu]'"
        ) from None
    onnxruntime.set_default_logger_severity(_ERRORS_ONLY)
    return onnxruntime


def _candidates(runtime: Any, provider: str) -> list[str]:  # noqa: ANN401
    available = set(runtime.get_available_providers())
    present = [name for name, long_name in PROVIDERS.items() if long_name in available]
    if provider == "auto":
        return present
    if provider not in PROVIDERS:
        raise ProviderError(
            f"provider {provider!r} is not known; expected one of auto, {', '.join(PROVIDERS)}"
        )
    if provider not in present:
        raise ProviderError(
            f"provider {provider!r} is not in this build of ONNX Runtime, which has {', '.join(present)}; "
            "for CUDA: pip install 'edge-engine[gpu]' in place of [cpu]"
        )
    return [provider]


def _create(runtime: Any, path: Path, provider: str, threads: int) -> Any:  # noqa: ANN401
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    # A waiting thread that spins takes the core from capture and preprocessing.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    chain = [PROVIDERS[provider]]
    if provider != "cpu":
        chain.append(PROVIDERS["cpu"])
    try:
        return runtime.InferenceSession(str(path), options, providers=chain)
    except Exception as error:  # ONNX Runtime raises a type of its own per status code
        raise ModelError(f"{path}: not a model that ONNX Runtime can load: {_one_line(error)}") from None


def _one_line(error: BaseException, limit: int = 200) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"
