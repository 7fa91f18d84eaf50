"""What is installed, and whether it works: versions, kernels, execution providers, the bundled model."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec

from edge_engine import kernels
from edge_engine.bench.machine import describe_machine
from edge_engine.diagnosis.finding import Finding
from edge_engine.errors import EdgeEngineError
from edge_engine.inspection.inspect import bundled_images, inspect_model
from edge_engine.zoo import find_model

MODEL = "nanodet-g"
_SEES = 0.4
"""The bundled model's mean score for what is known to be in the bundled pictures is above."""

_OPTIONAL = {
    "gi": ("GStreamer, for gst: and csi:", "sudo apt install python3-gi gir1.2-gst-plugins-base-1.0"),
    "picamera2": ("picamera:, for a Raspberry Pi's camera", "sudo apt install python3-picamera2"),
}


def runtime() -> Iterator[Finding]:
    machine = describe_machine()
    versions = ", ".join(f"{name} {found}" for name, found in machine.versions.items())
    yield Finding("runtime", "ok", f"Python {machine.python}, {versions}")
    yield Finding("machine", "ok", f"{machine.processor}, {machine.cores} cores, {machine.memory_gb} GB")


def compiled_kernels() -> Iterator[Finding]:
    compiled: list[bool] = []
    kernels.warm_up(partial(compiled.append, True))
    yield Finding("kernels", "ok", "compiled just now, and kept" if compiled else "compiled before, and kept")


def model() -> Iterator[Finding]:
    """Each execution provider that this build of ONNX Runtime has, and what the model sees."""
    try:
        found = inspect_model(find_model(MODEL), bundled_images(), lambda _: None)
    except EdgeEngineError as error:
        yield Finding("model", "bad", str(error), "install edge-engine again")
        return
    for name, said in found.providers.items():
        is_fine = said == "loads"
        cure = "" if is_fine else "install what it names, or leave that build of ONNX Runtime out"
        yield Finding(f"provider {name}", "ok" if is_fine else "note", said, cure)
    own = found.trials[0]
    sees = f"{MODEL} sees what is in the bundled pictures with a mean score of {own.score:.2f}"
    if own.score >= _SEES:
        yield Finding("model", "ok", sees)
    else:
        yield Finding("model", "bad", sees, "another version of ONNX Runtime may compute rightly")


def optional_packages() -> Iterator[Finding]:
    for package, (purpose, cure) in _OPTIONAL.items():
        is_there = find_spec(package) is not None
        said = f"{package} is {'there' if is_there else 'not there'} ({purpose})"
        yield Finding("package", "ok" if is_there else "note", said, "" if is_there else cure)
