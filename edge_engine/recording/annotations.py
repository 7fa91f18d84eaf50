"""Annotations: a result as Foxglove draws it over the picture: boxes, their labels, keypoints, tags.

The fields are those of foxglove.ImageAnnotations and of what it is made of, version of 2025:
https://docs.foxglove.dev/docs/sdk/schemas/image-annotations. What isn't used is there all the same, since the
schema asks for all of them.
"""

from __future__ import annotations

import colorsys

import msgspec

from edge_engine.clock import NS_PER_S
from edge_engine.wire import ObjectRow, ResultMessage

_POINTS, _LINE_LOOP = 1, 2  # PointsAnnotationType
_HUE_STEP = 0.618033988749895  # the golden ratio's: neighbours get colours far apart
_LEAST_SCORE = 0.2  # a keypoint below it isn't drawn
_THICKNESS, _FONT_SIZE = 2.0, 14.0


class Time(msgspec.Struct, frozen=True):
    sec: int
    nsec: int


class Point2(msgspec.Struct, frozen=True):
    """Pixels from the top left corner of the top left pixel."""

    x: float
    y: float


class Color(msgspec.Struct, frozen=True):
    """0..1 each."""

    r: float
    g: float
    b: float
    a: float


class KeyValuePair(msgspec.Struct, frozen=True):
    key: str
    value: str


class CircleAnnotation(msgspec.Struct, frozen=True):
    timestamp: Time
    position: Point2
    diameter: float
    thickness: float
    fill_color: Color
    outline_color: Color
    metadata: list[KeyValuePair] = []


class PointsAnnotation(msgspec.Struct, frozen=True):
    timestamp: Time
    type: int
    points: list[Point2]
    outline_color: Color
    fill_color: Color
    thickness: float = _THICKNESS
    outline_colors: list[Color] = []
    metadata: list[KeyValuePair] = []


class TextAnnotation(msgspec.Struct, frozen=True):
    """`position`: of the text's bottom left corner."""

    timestamp: Time
    position: Point2
    text: str
    text_color: Color
    background_color: Color
    font_size: float = _FONT_SIZE
    metadata: list[KeyValuePair] = []


class ImageAnnotations(msgspec.Struct, frozen=True):
    circles: list[CircleAnnotation]
    points: list[PointsAnnotation]
    texts: list[TextAnnotation]


_NONE, _BLACK, _WHITE = Color(0, 0, 0, 0), Color(0, 0, 0, 0.6), Color(1, 1, 1, 1)


def drawn(result: ResultMessage) -> ImageAnnotations:
    """A colour per track where objects are tracked, else per class; with tags, the lines at the top left."""
    at = Time(*divmod(result.captured_utc_ns, NS_PER_S))
    points: list[PointsAnnotation] = []
    for row in result.objects:
        points.append(PointsAnnotation(at, _LINE_LOOP, _corners(row), _colour(row), _NONE))
        joints = [Point2(x, y) for x, y, score in row.keypoints if score >= _LEAST_SCORE]
        if joints:
            points.append(PointsAnnotation(at, _POINTS, joints, _colour(row), _colour(row), 2 * _THICKNESS))
    texts = [_text(at, row.xyxy[0], row.xyxy[1], _said(row), _colour(row)) for row in result.objects]
    for line, tag in enumerate(result.tags, start=1):
        texts.append(_text(at, 0.0, line * 1.3 * _FONT_SIZE, f"{tag.label} {tag.score:.2f}", _WHITE))
    return ImageAnnotations([], points, texts)


def _corners(row: ObjectRow) -> list[Point2]:
    left, top, right, bottom = row.xyxy
    return [Point2(left, top), Point2(right, top), Point2(right, bottom), Point2(left, bottom)]


def _said(row: ObjectRow) -> str:
    track = "" if row.track_id is None else f" #{row.track_id}"
    return f"{row.label}{track} {row.score:.2f}"


def _text(at: Time, x: float, y: float, text: str, colour: Color) -> TextAnnotation:
    return TextAnnotation(at, Point2(x, y), text, colour, _BLACK)


def _colour(row: ObjectRow) -> Color:
    number = row.class_id if row.track_id is None else row.track_id
    return Color(*colorsys.hsv_to_rgb(number * _HUE_STEP % 1, 0.75, 1.0), 1.0)
