"""Providers: what runs a graph for ONNX Runtime, by short names, each with its options and its package."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from edge_engine.cache import cache_folder
from edge_engine.errors import ProviderError, one_line
from edge_engine.processor import processor_features

Optimisation = Literal["basic", "extended", "all"]


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """How a model is run. `workers`: inferences at once; `threads`: what each one uses; `spinning`: while
    an inference runs, its idle threads burn their cores to be there at once; `pinned`: each of them keeps
    to a core, which the threads that start inferences stay away from, or, with one thread each, every worker
    does (placement.py); `optimisation`: how far the graph is rewritten, `all` changes layouts; `batch`: up to
    so many pictures go into one inference."""

    provider: str = "auto"
    workers: int = 1
    threads: int = 1
    spinning: bool = False
    pinned: bool = False
    optimisation: Optimisation = "all"
    batch: int = 1

    def split(self, allowed: list[int] | None) -> tuple[list[int], list[int]] | None:
        """Of the allowed cores: those for the threads that start inferences, and one for each that helps.

        The system likes to wake a helper on the core of who wakes it, where it then waits for its turn:
        NanoDet-g takes 10.6 ms so, on two idle cores, and 7.6 ms when each thread keeps to its own.
        None where nothing is to be pinned, or can't be.
        """
        helpers = self.threads - 1
        if not self.pinned or not helpers or allowed is None or helpers >= len(allowed):
            return None
        return allowed[:-helpers], allowed[-helpers:]

    def __str__(self) -> str:
        """Only what is unusual is named beside the numbers."""
        manner = ", spinning" if self.spinning else ""
        manner += ", pinned" if self.pinned else ""
        optimisation = f", {self.optimisation} graph" if self.optimisation != "all" else ""
        batch = f", up to {self.batch} pictures at once" if self.batch > 1 else ""
        how = f"{self.workers} worker(s) of {self.threads} thread(s){manner}"
        return f"{self.provider}, {how}{optimisation}{batch}"


class Provider(NamedTuple):
    """ONNX Runtime's name of an execution provider, the package that brings it, and its options."""

    name: str
    package: str
    options: Callable[[Path, Setting, Any], dict[str, str]]


def _no_options(path: Path, setting: Setting, runtime: Any) -> dict[str, str]:  # noqa: ANN401
    return {}


def _tensorrt_options(path: Path, setting: Setting, runtime: Any) -> dict[str, str]:  # noqa: ANN401
    """An engine takes minutes to build: it is kept by model and runtime, and its name tells the device."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    folder = cache_folder() / "tensorrt" / f"{digest}-{runtime.__version__}"
    folder.mkdir(parents=True, exist_ok=True)
    kept = {"trt_engine_cache_enable": "1", "trt_engine_cache_path": str(folder)}
    return kept | {"trt_timing_cache_enable": "1", "trt_timing_cache_path": str(folder)}


def _openvino_options(path: Path, setting: Setting, runtime: Any) -> dict[str, str]:  # noqa: ANN401
    """Its streams run at once, and share the threads. What is float is computed in bfloat16 where the
    processor does that, as OpenVINO itself has it by default: YOLO11n then takes half the time."""
    threads = setting.workers * setting.threads
    config = {"NUM_STREAMS": str(setting.workers), "INFERENCE_NUM_THREADS": str(threads)}
    if {"avx512_bf16", "amx_bf16"} & processor_features():
        config["INFERENCE_PRECISION_HINT"] = "bf16"
    return {"device_type": "CPU", "load_config": json.dumps({"CPU": config})}


def _xnnpack_options(path: Path, setting: Setting, runtime: Any) -> dict[str, str]:  # noqa: ANN401
    return {"intra_op_num_threads": str(setting.threads)}


_GPU = "edge-engine[gpu]"
PROVIDERS = {
    "tensorrt": Provider("TensorrtExecutionProvider", _GPU, _tensorrt_options),
    "cuda": Provider("CUDAExecutionProvider", _GPU, _no_options),
    "coreml": Provider("CoreMLExecutionProvider", "onnxruntime on macOS", _no_options),
    "openvino": Provider("OpenVINOExecutionProvider", "edge-engine[openvino]", _openvino_options),
    "acl": Provider("ACLExecutionProvider", "an ONNX Runtime built with --use_acl", _no_options),
    "xnnpack": Provider(
        "XnnpackExecutionProvider", "an ONNX Runtime built with --use_xnnpack", _xnnpack_options
    ),
    "cpu": Provider("CPUExecutionProvider", "edge-engine[cpu]", _no_options),
}
"""By our names, best first: `auto` takes the first that is there and loads."""


def import_runtime() -> Any:  # noqa: ANN401 - onnxruntime has no types
    """The installed ONNX Runtime; ProviderError when there is none."""
    try:
        import onnxruntime
    except ImportError as error:
        raise ProviderError(
            f"onnxruntime can't be imported ({one_line(error)}): pip install 'edge-engine[cpu]' "
            "or, with an NVIDIA GPU, pip install 'edge-engine[gpu]'"
        ) from None
    onnxruntime.set_default_logger_severity(4)  # fatal only: what fails is raised, and told once
    return onnxruntime


def candidates(runtime: Any, provider: str) -> list[str]:  # noqa: ANN401
    """Our names of the providers to try, best first; ProviderError when none can be meant."""
    available = set(runtime.get_available_providers())
    present = [name for name, known in PROVIDERS.items() if known.name in available]
    if provider == "auto":
        return present
    if provider not in PROVIDERS:
        raise ProviderError(
            f"provider {provider!r} is not known; expected one of auto, {', '.join(PROVIDERS)}"
        )
    if provider not in present:
        raise ProviderError(
            f"provider {provider!r} is not in this build of ONNX Runtime, which has {', '.join(present)}; "
            f"it comes with {PROVIDERS[provider].package}, in place of the runtime that is installed"
        )
    return [provider]


def preload(runtime: Any, provider: str) -> None:  # noqa: ANN401
    """CUDA's libraries where pip put them, beside the runtime; `why_not` tells what it prints."""
    if provider in ("cuda", "tensorrt") and hasattr(runtime, "preload_dlls"):
        with contextlib.redirect_stdout(io.StringIO()):
            runtime.preload_dlls()


def why_not(runtime: Any, provider: str) -> str | None:  # noqa: ANN401
    """What the linker says of a provider's library that can't be loaded; None if it can.

    Tried in a process of its own: such a library, loaded before the runtime asks for it, breaks the runtime.
    """
    name = PROVIDERS[provider].name.removesuffix("ExecutionProvider").lower()
    folder = Path(runtime.__file__).parent / "capi"
    program = "import ctypes, sys; [ctypes.CDLL(part, mode=ctypes.RTLD_GLOBAL) for part in sys.argv[1:]]"
    parts = (folder / f"libonnxruntime_providers_{part}.so" for part in ("shared", name))
    tried = subprocess.run(
        [sys.executable, "-c", program, *(str(part) for part in parts if part.exists())],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    _, is_linkers, reason = tried.stderr.strip().rpartition("OSError: ")
    return " ".join(reason.split()) if is_linkers else None
