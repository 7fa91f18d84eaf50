"""Checking: a configuration that asks zones and lines for what can't be had is refused before it runs."""

from __future__ import annotations

from collections.abc import Sequence

from edge_engine.config import StreamConfig
from edge_engine.config.places import PlaceConfig
from edge_engine.errors import ConfigError
from edge_engine.models.names import class_id_of, unknown
from edge_engine.models.spec import ModelSpec


def check_places(name: str, stream: StreamConfig, spec: ModelSpec, *, finds: bool, is_tracked: bool) -> None:
    """`spec`: the model's, with the `classes` that the stream publishes; `finds`: whether it finds objects.
    Raises ConfigError."""
    if (stream.zones or stream.lines) and not finds:
        expected = "expected a model that finds objects, for zones and lines"
        raise ConfigError(f"stream {name}, model {spec.name}: its task is {spec.task}; {expected}")
    if stream.lines and not is_tracked:
        expected = "expected `tracking: {}` for the stream or for all"
        line = next(iter(stream.lines))
        raise ConfigError(f"stream {name}, lines.{line}: crossings need tracking; {expected}")
    for kind, places in (("zones", stream.zones), ("lines", stream.lines)):
        for place, asked in places.items():
            _check_classes(f"stream {name}, {kind}.{place}.classes", asked, spec.labels, spec.classes)


def _check_classes(where: str, asked: PlaceConfig, labels: Sequence[str], published: Sequence[str]) -> None:
    given = {class_id_of(labels, label) for label in published}
    for label in asked.classes or ():
        class_id = class_id_of(labels, str(label))
        if class_id is None:
            raise ConfigError(f"{where}: {unknown(labels, str(label))}")
        if given and class_id not in given:
            raise ConfigError(f"{where}: {labels[class_id]} is not published; expected some that are")
