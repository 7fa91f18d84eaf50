"""Layout: a stream's zones and lines as arrays, in fractions of the picture, whatever size that has."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from edge_engine.clock import NS_PER_MS
from edge_engine.config.places import LineConfig, PlaceConfig, ZoneConfig
from edge_engine.config.planar import Point, area_of, clipped
from edge_engine.kernels.regions import Shapes
from edge_engine.models.names import class_id_of

_log = logging.getLogger("edge_engine.zones")

Size = tuple[int, int]
P = TypeVar("P", bound=PlaceConfig)

# How far along a box's width and height each anchor lies.
_ALONG = {"left": 0.0, "center": 0.5, "right": 1.0, "top": 0.0, "bottom": 1.0}


@dataclass(frozen=True)
class Places(Generic[P]):
    """k zones, or k lines. `settle_ns`: int64 [k]."""

    names: tuple[str, ...]
    configs: tuple[P, ...]
    shapes: Shapes
    settle_ns: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class Layout:
    """`anchors`: float64 [a, 2], the points of a box that are asked for, along its width and height from 0 to
    1. `areas`: float64 [zones], the part of the picture that each zone fills. `min_scores`: float32, those of
    the zones, then of the lines."""

    zones: Places[ZoneConfig]
    lines: Places[LineConfig]
    anchors: NDArray[np.float64]
    areas: NDArray[np.float64]
    min_scores: NDArray[np.float32]

    @classmethod
    def of(cls, zones: Mapping[str, ZoneConfig], lines: Mapping[str, LineConfig], size: Size) -> Layout:
        """Pixels are those of pictures of `size` where a place doesn't say of which."""
        anchors = sorted({place.anchor for place in (*zones.values(), *lines.values())})
        return cls(
            _places(zones, anchors, size),
            _places(lines, anchors, size),
            np.array([_along(anchor) for anchor in anchors]).reshape(-1, 2),
            np.array([area_of(clipped(_fractions(zone, size), (1, 1))) for zone in zones.values()]),
            np.array([place.min_score for place in (*zones.values(), *lines.values())], np.float32),
        )

    def positions(self, boxes_xyxy: NDArray[np.float32], size: Size) -> NDArray[np.float64]:
        """float64 [n, a, 2]: where each object's anchors are, in fractions of a picture of `size`."""
        left_top = boxes_xyxy[:, None, :2].astype(np.float64)
        right_bottom = boxes_xyxy[:, None, 2:].astype(np.float64)
        return (left_top * (1 - self.anchors) + right_bottom * self.anchors) / size

    def wanted(self, labels: Sequence[str]) -> NDArray[np.bool_]:
        """bool [labels, zones + lines]: which labels count where."""
        places = (*self.zones.configs, *self.lines.configs)
        table = np.ones((len(labels), len(places)), np.bool_)
        for k, place in enumerate(places):
            if place.classes is not None:
                class_ids = [class_id_of(labels, str(name)) for name in place.classes]
                table[:, k] = np.isin(np.arange(len(labels)), [i for i in class_ids if i is not None])
        return table


def _places(places: Mapping[str, P], anchors: Sequence[str], size: Size) -> Places[P]:
    points = [_fractions(place, size) for place in places.values()]
    shapes = Shapes(
        np.array([point for shape in points for point in shape], np.float64).reshape(-1, 2),
        np.cumsum([0, *map(len, points)]),
        np.array([anchors.index(place.anchor) for place in places.values()], np.int64),
    )
    settle_ns = np.array([place.settle_ms * NS_PER_MS for place in places.values()], np.int64)
    return Places(tuple(places), tuple(places.values()), shapes, settle_ns)


def _along(anchor: str) -> tuple[float, float]:
    """bottom_left → (0, 1), center → (0.5, 0.5), center_right → (1, 0.5)"""
    upright, _, level = anchor.partition("_")
    return _ALONG[level or "center"], _ALONG[upright]


def _fractions(place: PlaceConfig, size: Size) -> list[Point]:
    width, height = (1, 1) if place.unit == "fractions" else place.size or size
    return [(x / width, y / height) for x, y in place.points]


class Sizes:
    """Tells, once for each size of pictures, what becomes of zones and lines that are given in pixels."""

    def __init__(self, stream: str, places: Mapping[str, PlaceConfig], first: Size) -> None:
        self._stream, self._told = stream, {first}
        self._pixels = {name: place for name, place in places.items() if place.unit == "pixels"}
        self._first = first
        for name, place in self._pixels.items():
            if place.size is None and not place.seen_in(first):
                _log.warning("%s: %s lies outside the pictures, which are %dx%d", stream, name, *first)
            elif place.size not in (None, first):
                self._tell(first)

    def look(self, size: Size) -> None:
        if size not in self._told:
            self._tell(size)

    def _tell(self, size: Size) -> None:
        self._told.add(size)
        for name, (width, height) in {n: p.size or self._first for n, p in self._pixels.items()}.items():
            if (width, height) != size:
                same = "" if width * size[1] == height * size[0] else ", of another shape"
                said = "%s: %s is given for %dx%d; it is stretched to pictures of %dx%d%s"
                _log.warning(said, self._stream, name, width, height, *size, same)
