"""Sidecar: what a person says of a model in a YAML file beside it: MODEL.yaml for MODEL.onnx.

Only what the model itself doesn't say needs to be there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from edge_engine.errors import ConfigError, ModelError
from edge_engine.models.spec import Colour, CropShare, Fit, Task
from edge_engine.yaml.source import MAX_BYTES, parse, read_text
from edge_engine.yaml.struct import LabelName, LabelNames, Names, build

_Side = Annotated[int, Meta(ge=2, le=16384)]
_Share = Annotated[float, Meta(ge=0, le=1)]
_Triple = Annotated[tuple[float, float, float], Meta(description="three numbers, one per channel")]


class InputSidecar(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the model takes a picture; `mean` and `std` are of pixels 0..255, in `colour` order."""

    width: _Side | None = None
    height: _Side | None = None
    colour: Colour | None = None
    mean: _Triple | None = None
    std: _Triple | None = None
    letterbox: Fit | None = None
    pad: Annotated[int, Meta(ge=0, le=255)] | None = None
    crop: CropShare | None = None


class Sidecar(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`labels_file`: one label a line, beside this file, in place of `labels`."""

    family: str | None = None
    task: Task | None = None
    labels: Names | None = None
    labels_file: str | None = None
    keypoint_names: Names | None = None
    score_threshold: _Share | None = None
    iou_threshold: _Share | None = None
    label_thresholds: dict[LabelName, _Share] = {}
    classes: LabelNames | None = None
    options: dict[str, Any] = {}
    licence: str = ""
    source: str = ""
    input: InputSidecar = InputSidecar()


def sidecar_path(model: Path) -> Path:
    return model.with_suffix(".yaml")


def load_sidecar(model: Path) -> Sidecar | None:
    """None when there is none; ModelError, in one line, for one that can't be used."""
    path = sidecar_path(model)
    if not path.exists():
        return None
    try:
        sidecar = build(Sidecar, parse(read_text(path), str(path)))
    except ConfigError as error:
        raise ModelError(str(error)) from None
    if sidecar.labels is None and sidecar.labels_file is not None:
        labels = read_labels(f"{path}: labels_file", path.parent / sidecar.labels_file)
        return msgspec.structs.replace(sidecar, labels=labels)
    return sidecar


def read_labels(where: str, path: Path) -> tuple[str, ...]:
    """Of a text file with one label a line; ModelError, which begins with `where`."""
    if path.exists() and (not path.is_file() or path.stat().st_size > MAX_BYTES):
        raise ModelError(f"{where}: {path} isn't a short text file")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{where}: {path} can't be read: {error}") from None
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise ModelError(f"{where}: {path} is empty; expected one label a line")
    return tuple(line.strip() for line in lines)
