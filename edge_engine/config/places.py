"""Places: the zones and lines of a stream, as a configuration has them.

A point is in source pixels, of pictures of `size` or else of the first one's, or a fraction of the picture's
width and height; `unit` says which. Corners a little beyond the picture are fine.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from edge_engine.config.planar import Edge, Point, area_of, clipped, crossing_edges, edges_of, is_seen
from edge_engine.config.values import Share
from edge_engine.errors import ConfigError
from edge_engine.yaml.struct import LabelNames

Points = Annotated[
    tuple[Point, ...],
    Meta(min_length=2, max_length=100, description="a list of points such as [[0, 0.5], [1, 0.5]]"),
]
Side = Annotated[int, Meta(ge=1, le=65_535)]
Anchor = Literal[
    "center",
    "center_left",
    "center_right",
    "top_center",
    "top_left",
    "top_right",
    "bottom_center",
    "bottom_left",
    "bottom_right",
]

_LEAST_CORNERS = 3
_LEAST_AREA_PX = 1.0
_BEYOND = (-1.0, 2.0)


class PlaceConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What zones and lines have in common.

    An object is where its `anchor` is, a point of its box in supervision's terms. Those of `classes` count
    (null: all), in pictures where their score is at least `min_score`, once they have been on a side for
    `settle_ms`. ConfigError for a shape that is none.
    """

    points: Points
    unit: Literal["pixels", "fractions"]
    size: (
        Annotated[tuple[Side, Side], Meta(description="width and height in pixels, such as [640, 480]")]
        | None
    ) = None
    anchor: Anchor = "bottom_center"
    classes: LabelNames | None = None
    min_score: Share = 0.0
    settle_ms: Annotated[int, Meta(ge=0, le=600_000)] = 200

    is_closed: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.unit == "fractions" and self.size is not None:
            raise ConfigError("size is given; expected it only where unit is pixels")
        if self.unit == "fractions" and not all(
            _BEYOND[0] <= c <= _BEYOND[1] for p in self.points for c in p
        ):
            raise ConfigError(
                "a point is far beyond the picture; expected fractions from 0 to 1, or unit: pixels"
            )
        self._check_shape()
        seen = self.seen_in(self.size or (1.0, 1.0))
        if not seen and (self.unit == "fractions" or self.size is not None):
            raise ConfigError(
                "none of it lies in the picture; expected points from the left top corner, x first"
            )

    def _check_shape(self) -> None:
        for number, point in enumerate(self.points):
            if point in self.points[:number]:
                raise ConfigError(f"point {number + 1} is there twice; expected each once, also the first")
        crossing = crossing_edges(self.edges())
        if crossing is not None:
            raise ConfigError(
                f"its edges {crossing[0]} and {crossing[1]} meet; expected points in order around it"
            )

    def edges(self) -> list[Edge]:
        return edges_of(self.points, is_closed=self.is_closed)

    def seen_in(self, size: Point) -> bool:
        """Whether some of it lies in a picture of that width and height, in its own unit."""
        return any(is_seen(edge, size) for edge in self.edges())


class ZoneConfig(PlaceConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A polygon of at least 3 corners that doesn't cross itself. `area_m2`: of the ground that is seen in it,
    for people per square metre."""

    area_m2: Annotated[float, Meta(gt=0)] | None = None

    is_closed: ClassVar[bool] = True

    def _check_shape(self) -> None:
        if len(self.points) < _LEAST_CORNERS:
            raise ConfigError(f"{len(self.points)} points; expected at least {_LEAST_CORNERS} corners")
        super()._check_shape()
        area = area_of(self.points)
        if area <= 0 or (self.unit == "pixels" and area < _LEAST_AREA_PX):
            raise ConfigError("it has no area; expected a polygon in pixels, or unit: fractions")

    def seen_in(self, size: Point) -> bool:
        return area_of(clipped(self.points, size)) > 0


class LineConfig(PlaceConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Two points or more, joined in their order, without crossing itself. Left and right are those of
    somebody who goes along it from the first point to the last, as the picture is seen."""
