"""Reading: the first source that says what a model is: our metadata, then that of well-known exporters."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from edge_engine.errors import ModelError
from edge_engine.models.spec import METADATA_KEY, SPEC_VERSION, ModelSpec
from edge_engine.models.ultralytics import is_ultralytics, spec_of_ultralytics


def read_spec(path: Path, metadata: dict[str, str], layout: Literal["NHWC", "NCHW"] = "NCHW") -> ModelSpec:
    """The spec in a model's metadata; ModelError when there is none, or one that can't be read.

    `layout` is the graph's, for exporters that don't say.
    """
    text = metadata.get(METADATA_KEY)
    if text is not None:
        return _own(path, text)
    if is_ultralytics(metadata):
        return spec_of_ultralytics(path, metadata, layout)
    raise ModelError(
        f"{path}: has neither {METADATA_KEY!r} metadata nor Ultralytics' that says its family, input and "
        "labels; export it with one of them"
    )


def _own(path: Path, text: str) -> ModelSpec:
    try:
        spec = msgspec.json.decode(text, type=ModelSpec)
    except msgspec.MsgspecError as error:
        raise ModelError(f"{path}: its {METADATA_KEY!r} metadata can't be read: {error}") from None
    if spec.version > SPEC_VERSION:
        raise ModelError(f"{path}: its metadata has version {spec.version}, this engine knows {SPEC_VERSION}")
    return spec
