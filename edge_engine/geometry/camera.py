"""CameraGeometry: where the objects of one stream are, as far as its configuration lets that be known."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge_engine.config import CameraConfig
from edge_engine.errors import ConfigError
from edge_engine.geometry.boxes import BoxPoints, points_of
from edge_engine.geometry.calibration import lens_of
from edge_engine.geometry.distance import Places, by_ground, by_top, by_whole_height
from edge_engine.geometry.lens import AspectError, Floats, Lens, Size
from edge_engine.geometry.mounting import Mounting, Sights
from edge_engine.models.names import class_id_of, unknown
from edge_engine.result import DistanceBy, Geometry, Objects
from edge_engine.state import LOGGER

_log = logging.getLogger(LOGGER)


class CameraGeometry:
    """Of one stream, whose postprocessing alone calls `measure`."""

    def __init__(
        self, config: CameraConfig, labels: Sequence[str], stream: str, expected: Size | None = None
    ) -> None:
        """`expected`: the size of the stream's pictures, where it is known. Raises ConfigError, in one line,
        for a calibration that can't be used or isn't of such pictures, and for an unknown label."""
        self._where = f"stream {stream}, camera"
        self._config = config
        self._lens_of = lens_of(config, self._where)
        self._mounting = Mounting(
            np.radians([config.pitch_deg, config.roll_deg, config.yaw_deg]),
            np.radians([config.pitch_std_deg, config.roll_std_deg, config.yaw_std_deg]),
        )
        _check_heights(config, labels, self._where)
        self._labels, self._tall_m = labels, _tall(config, labels)
        self._lenses: dict[Size, Lens | None] = {}
        if expected is not None:
            try:
                self._lens_of(expected)
            except AspectError as error:
                raise ConfigError(f"{self._where}: {error}") from None

    def measure(self, objects: Objects, labels: Sequence[str], size: Size) -> Geometry | None:
        """None where the picture isn't the calibrated one in another size, which is told in the log once.
        `labels`: of the model in use; what another one doesn't know has no height.
        """
        if labels is not self._labels:
            self._labels, self._tall_m = labels, _tall(self._config, labels)
        lens = self._lens_for(size)
        if lens is None:
            return None
        boxes_xyxy = objects.boxes_xyxy.astype(np.float64)
        boxes_xyxy[~objects.are_seen()] = np.nan
        points = points_of(boxes_xyxy, size, self._config.pixel_std_px)
        with np.errstate(divide="ignore", invalid="ignore"):
            both = self._sights(
                lens,
                np.concatenate([points.middles, points.feet]),
                np.concatenate([points.middle_stds, points.end_stds]),
            )
            middles, feet = both.at(slice(len(objects))), both.at(slice(len(objects), None))
            places, by = self._places(lens, points, feet, objects)
            return _geometry(middles, places, by)

    def _lens_for(self, size: Size) -> Lens | None:
        if size not in self._lenses:
            try:
                self._lenses[size] = self._lens_of(size)
            except AspectError as error:
                _log.warning("%s: %s; objects have no bearing and no distance", self._where, error)
                self._lenses[size] = None
        return self._lenses[size]

    def _sights(self, lens: Lens, pixels_xy: Floats, stds_px: Floats) -> Sights:
        stds = np.empty((len(stds_px), 3))
        stds[:, :2] = np.hypot(stds_px, lens.centre_std * lens.size[0])
        stds[:, 2] = lens.focal_std
        return self._mounting.sights(lens.rays(pixels_xy), stds)

    def _places(
        self, lens: Lens, points: BoxPoints, feet: Sights, objects: Objects
    ) -> tuple[Places, NDArray[np.int8]]:
        """By the ground where that can be, else by the object's height where that is known."""
        height = self._config.height_m, self._config.height_std_m
        feet.slopes[points.has_no_foot] = np.nan
        places = by_ground(feet, *height)
        by = np.where(np.isnan(places.distances), DistanceBy.NOTHING, DistanceBy.GROUND).astype(np.int8)
        if self._tall_m is None:
            return places, by
        tall_m = self._tall_m[objects.class_ids]
        is_left = np.isnan(places.distances) & ~np.isnan(tall_m) & ~points.has_no_top
        for has_no_foot in (False, True):
            which = np.flatnonzero(is_left & (points.has_no_foot == has_no_foot))
            if not len(which):
                continue
            tall = tall_m[which], self._config.heights_std * tall_m[which]
            tops = self._sights(lens, points.tops[which], points.end_stds[which])
            if has_no_foot:
                found = by_top(tops, *tall, *height)
            else:
                found = by_whole_height(tops, feet.at(which), *tall, *height)
            places.put(which, found)
            by[which[~np.isnan(found.distances)]] = DistanceBy.HEIGHT
        return places, by


def _geometry(middles: Sights, places: Places, by: NDArray[np.int8]) -> Geometry:
    elevations = np.arctan(middles.slopes)
    bearing_stds = np.sqrt(np.einsum("nk,nk->n", middles.d_bearings, middles.d_bearings))
    slope_stds = np.sqrt(np.einsum("nk,nk->n", middles.d_slopes, middles.d_slopes))
    elevation_stds = slope_stds * np.cos(elevations) ** 2
    return Geometry(
        bearings_deg=np.degrees(middles.bearings).astype(np.float32),
        bearing_stds_deg=np.degrees(bearing_stds).astype(np.float32),
        elevations_deg=np.degrees(elevations).astype(np.float32),
        elevation_stds_deg=np.degrees(elevation_stds).astype(np.float32),
        distances_m=places.distances.astype(np.float32),
        distance_stds_m=places.stds.astype(np.float32),
        positions_m=places.positions.astype(np.float32),
        position_covariances=places.covariances.astype(np.float32),
        distance_by=by,
    )


def _check_heights(config: CameraConfig, labels: Sequence[str], where: str) -> None:
    for name in config.heights_m:
        if class_id_of(labels, str(name)) is None:
            raise ConfigError(f"{where}: heights_m: {unknown(labels, str(name))}")


def _tall(config: CameraConfig, labels: Sequence[str]) -> Floats | None:
    """The height of each class of object, NaN where it isn't known; None where none is."""
    if not config.heights_m:
        return None
    tall_m = np.full(len(labels), np.nan)
    for name, height_m in config.heights_m.items():
        class_id = class_id_of(labels, str(name))
        if class_id is not None:
            tall_m[class_id] = height_m
    return tall_m
