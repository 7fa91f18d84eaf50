"""Rows: a result as the wire has it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edge_engine.clock import NS_PER_MS, clock_id
from edge_engine.ledger import Counts
from edge_engine.outputs.counted_rows import event_row, line_row, zone_row
from edge_engine.outputs.output import Health
from edge_engine.result import (
    DistanceBy,
    Geometry,
    Objects,
    Result,
    Segmentation,
    Tags,
    Tracking,
    TrackState,
)
from edge_engine.wire import (
    Counters,
    GeometryRow,
    HealthMessage,
    Mask,
    ObjectRow,
    ResultMessage,
    SegmentationRows,
    TagRow,
)

TrackFields: TypeAlias = tuple[Any, Any, Any, Any]
"""Of an ObjectRow, those that follow `mask`."""

_UNTRACKED: TrackFields = (None, None, None, None)
_DISTANCE_BY: dict[int, Any] = {by: by.name.lower() for by in DistanceBy} | {DistanceBy.NOTHING: None}


def message_of(result: Result, counts: Counts) -> ResultMessage:
    frame, labels = result.frame, result.labels
    worked_ns = tuple(frame.work_ns.items())  # publish adds its own meanwhile
    return ResultMessage(
        stream=frame.stream,
        seq=frame.seq,
        session=result.session,
        captured_ns=frame.captured_ns,
        captured_utc_ns=frame.captured_utc_ns,
        published_ns=result.published_ns,
        valid_until_ns=result.valid_until_ns,
        size=frame.size,
        model=result.model,
        stages_ms={stage: work_ns / NS_PER_MS for stage, work_ns in worked_ns},
        counters=counters_of(counts),
        objects=_objects(result.objects, labels),
        tags=_tags(result.tags, labels) if result.tags is not None else [],
        segmentation=_segmentation(result.segmentation, labels) if result.segmentation is not None else None,
        valid=not frame.doubt,
        reason=frame.doubt,
        clock=clock_id(),
        zones=[zone_row(zone) for zone in result.zones],
        lines=[line_row(line) for line in result.lines],
        events=[event_row(event) for event in result.events],
    )


def health_of(stream: str, session: str, published_ns: int, health: Health) -> HealthMessage:
    status = health.status
    return HealthMessage(
        stream=stream,
        session=session,
        published_ns=published_ns,
        counters=counters_of(health.counts),
        state=status.state.value,
        reason=status.reason,
        since_ns=status.since_ns,
        reconnects=status.reconnects,
        missed=health.missed,
        alarms=dict(health.alarms),
        clock=clock_id(),
        paused=health.is_paused,
    )


def counters_of(counts: Counts) -> Counters:
    return Counters(counts.captured, counts.published, counts.in_flight, counts.dropped)


def _objects(objects: Objects, labels: Sequence[str]) -> list[ObjectRow]:
    keypoints = objects.keypoints.tolist() if objects.keypoints is not None else repeat([])
    masks = map(_mask, objects.masks) if objects.masks is not None else repeat(None)
    known = _tracking(objects.tracking) if objects.tracking is not None else repeat(_UNTRACKED)
    places = _geometry(objects.geometry) if objects.geometry is not None else repeat(None)
    boxes, scores = objects.boxes_xyxy.tolist(), objects.scores.tolist()
    rows = zip(boxes, scores, objects.class_ids.tolist(), keypoints, masks, known, places, strict=False)
    return [
        ObjectRow(
            tuple(box),
            score,
            class_id,
            labels[class_id],
            [tuple(point) for point in points],
            mask,
            *(*track, place),
        )
        for box, score, class_id, points, mask, track, place in rows
    ]


def _tracking(tracking: Tracking) -> Iterator[TrackFields]:
    states = [TrackState(state).name.lower() for state in tracking.states.tolist()]
    covariances = tracking.velocity_covariances.tolist()
    return zip(tracking.ids.tolist(), states, tracking.velocities.tolist(), covariances, strict=True)


def _geometry(geometry: Geometry) -> Iterator[GeometryRow]:
    by = geometry.distance_by.tolist()
    return map(
        GeometryRow,
        _known(geometry.bearings_deg),
        _known(geometry.bearing_stds_deg),
        _known(geometry.elevations_deg),
        _known(geometry.elevation_stds_deg),
        _known(geometry.distances_m),
        _known(geometry.distance_stds_m),
        [tuple(place) if how else None for place, how in zip(geometry.positions_m.tolist(), by, strict=True)],
        [each if how else None for each, how in zip(geometry.position_covariances.tolist(), by, strict=True)],
        [_DISTANCE_BY[how] for how in by],
    )


def _known(numbers: NDArray[np.float32]) -> list[float | None]:
    """NaN, which JSON doesn't have, becomes None."""
    return [None if math.isnan(number) else number for number in numbers.tolist()]


def _mask(mask: NDArray[np.uint8]) -> Mask:
    """pycocotools' order of cells, `numpy.asfortranarray`'s."""
    values, counts = _runs(mask.ravel(order="F"))
    starts_inside = bool(values.size and values[0])
    return Mask(mask.shape, [0, *counts.tolist()] if starts_inside else counts.tolist())


def _tags(tags: Tags, labels: Sequence[str]) -> list[TagRow]:
    return [
        TagRow(score, class_id, labels[class_id])
        for score, class_id in zip(tags.scores.tolist(), tags.class_ids.tolist(), strict=True)
    ]


def _segmentation(found: Segmentation, labels: Sequence[str]) -> SegmentationRows:
    grid = found.class_ids
    values, counts = _runs(grid.ravel())
    cells = np.bincount(values, weights=counts)
    shares = {labels[i]: float(cells[i] / grid.size) for i in np.flatnonzero(cells[: found.void]).tolist()}
    return SegmentationRows(grid.shape, values.tolist(), counts.tolist(), shares)


def _runs(cells: NDArray[np.unsignedinteger]) -> tuple[NDArray[np.unsignedinteger], NDArray[np.int64]]:
    """The value and the length of each run of equal cells."""
    starts = np.flatnonzero(np.concatenate([[True], cells[1:] != cells[:-1]]))
    return cells[starts], np.diff(starts, append=cells.size)
