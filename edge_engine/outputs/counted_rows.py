"""Counted rows: what was counted in zones and at lines, as the wire has it."""

from __future__ import annotations

import numpy as np

from edge_engine.counting import Event, LineCount, Visits, ZoneCount
from edge_engine.wire import EventMessage, EventRow, LineRow, ResultMessage, VisitsRow, ZoneRow


def zone_row(zone: ZoneCount) -> ZoneRow:
    return ZoneRow(
        name=zone.name,
        objects=np.flatnonzero(zone.is_inside).tolist(),
        inside=zone.inside,
        density_per_megapixel=zone.density_per_megapixel,
        density_per_m2=zone.density_per_m2,
        visits=_visits(zone.visits) if zone.visits is not None else None,
    )


def _visits(visits: Visits) -> VisitsRow:
    return VisitsRow(
        visits.entered,
        visits.appeared,
        visits.exited,
        visits.lost_inside,
        visits.longest_dwell_ms,
        visits.mean_dwell_ms,
    )


def line_row(line: LineCount) -> LineRow:
    return LineRow(line.name, line.left_to_right, line.right_to_left)


def event_row(event: Event) -> EventRow:
    return EventRow(**event._asdict())


def events_of(result: ResultMessage) -> EventMessage:
    """The events of a result that has some."""
    return EventMessage(
        stream=result.stream,
        session=result.session,
        published_ns=result.published_ns,
        events=result.events,
        valid=result.valid,
        clock=result.clock,
    )
