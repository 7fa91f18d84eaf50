"""Inspect: a model file looked at from all sides."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import onnx
from msgspec.structs import replace

from edge_engine.errors import EdgeEngineError, UsageError, one_line
from edge_engine.inspection.graph import describe_graph
from edge_engine.inspection.readings import KnownImage, try_readings
from edge_engine.inspection.report import Inspection
from edge_engine.models.graph import load, read, repair, write_spec
from edge_engine.models.model import check_file
from edge_engine.models.providers import PROVIDERS, Setting, import_runtime
from edge_engine.models.repair import repaired
from edge_engine.models.session import open_session
from edge_engine.pictures import known_pictures

Step = Callable[[str], None]


def inspect_model(path: Path, images: Sequence[KnownImage], on_step: Step) -> Inspection:
    """Raises ModelError for a file that can't be read as a model."""
    check_file(path)
    data = path.read_bytes()
    on_step("reading the graph")
    reading = read(path)
    fixed, repairs = repair(path)
    graph = describe_graph(load(path), fixed)
    on_step("trying providers")
    providers = _providers(path)
    trials, best = try_readings(path, reading.spec, images, lambda name: on_step(f"self-test, {name}"))
    return Inspection(
        file=str(path),
        sha256=hashlib.sha256(data).hexdigest(),
        bytes=len(data),
        graph=graph,
        spec=reading.spec,
        origins=reading.origins,
        repairs=repairs,
        providers=providers,
        trials=trials,
        best=best,
    )


def bundled_images() -> list[KnownImage]:
    return [read_image(known.path, known.shows) for known in known_pictures().values()]


def read_image(path: Path, shows: Sequence[str] = ()) -> KnownImage:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None:
        raise UsageError(f"{path}: can't be read as a picture; expected a JPEG, PNG or the like")
    return KnownImage(path.stem, np.asarray(image, np.uint8), shows)


def write_best(path: Path, found: Inspection) -> None:
    """The spec, read as works best, into the file's metadata."""
    model = load(path)
    write_spec(model, replace(found.spec, input=found.trials[found.best].input))
    fresh = path.with_name(f".{path.name}.new")
    try:
        onnx.save(model, fresh)
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise UsageError(f"{path}: can't be written: {error.strerror}") from None


def _providers(path: Path) -> dict[str, str]:
    """Those in this build of ONNX Runtime: whether each takes the model."""
    present = import_runtime().get_available_providers()
    names = [name for name, provider in PROVIDERS.items() if provider.name in present]
    return {name: _loads(path, name) for name in names}


def _loads(path: Path, provider: str) -> str:
    try:
        open_session(repaired(path).path, Setting(provider=provider))
    except EdgeEngineError as error:
        return one_line(error)
    return "loads"
