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
from edge_engine.models.glance import check_file
from edge_engine.models.graph import load, read, repair, write_spec
from edge_engine.models.providers import PROVIDERS, Setting, import_runtime
from edge_engine.models.repair import repaired
from edge_engine.models.session import open_session
from edge_engine.models.spec import ModelSpec
from edge_engine.pictures import known_pictures

Step = Callable[[str], None]
_ASKED = ("classes", "score_threshold", "label_thresholds")


def inspect_model(
    path: Path,
    images: Sequence[KnownImage],
    on_step: Step,
    labels: tuple[str, ...] = (),
    ask: Callable[[ModelSpec], ModelSpec] | None = None,
) -> Inspection:
    """`labels`: in place of the model's own; `ask` changes what is asked for in its spec.

    Raises ModelError for a file that can't be read as a model, and what `ask` raises.
    """
    check_file(path)
    on_step("repairing and running it once, in a process of its own")
    repaired(path)
    data = path.read_bytes()
    on_step("reading the graph")
    reading = read(path, labels)
    spec, origins = reading.spec, dict(reading.origins)
    if ask is not None:
        spec = ask(spec)
        changed = [name for name in _ASKED if getattr(spec, name) != getattr(reading.spec, name)]
        origins.update(dict.fromkeys(changed, "given"))
    fixed, repairs = repair(path, labels=labels)
    graph = describe_graph(load(path), fixed)
    on_step("trying providers")
    providers = _providers(path, labels)
    trials, best = try_readings(path, spec, images, lambda name: on_step(f"self-test, {name}"), labels)
    return Inspection(
        file=str(path),
        sha256=hashlib.sha256(data).hexdigest(),
        bytes=len(data),
        graph=graph,
        spec=spec,
        origins=origins,
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


def _providers(path: Path, labels: tuple[str, ...]) -> dict[str, str]:
    """Those in this build of ONNX Runtime: whether each takes the model."""
    present = import_runtime().get_available_providers()
    names = [name for name, provider in PROVIDERS.items() if provider.name in present]
    return {name: _loads(path, name, labels) for name in names}


def _loads(path: Path, provider: str, labels: tuple[str, ...]) -> str:
    try:
        open_session(repaired(path, labels=labels).path, Setting(provider=provider))
    except EdgeEngineError as error:
        return one_line(error)
    return "loads"
