"""Stream: one camera or file, and what is asked of it."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from edge_engine.config.camera import CameraConfig
from edge_engine.config.places import LineConfig, ZoneConfig
from edge_engine.config.values import Milliseconds, PlaceName, Share, SourceText
from edge_engine.yaml.struct import LabelName, LabelNames


class TrackingConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How objects keep their identity (tracking.tracker). Thresholds have ByteTrack's names.

    Detections of `track_high_thresh` or more (null: those that the stream publishes anyway) look for their
    tracks first, and begin new ones from `new_track_thresh` (null: the same) on; those of `track_low_thresh`
    or more only continue what is being seen. `match_thresh`: the highest cost, 1 - IoU · score, of a pair. A
    new track is confirmed by its `confirm_after`th picture without a break (ByteTrack: 2). Who was not seen
    for `max_lost_ms` is forgotten. `across_classes`: an object may change its class. `recovery`: who was lost
    is also looked for where it was last seen, and its motion made good (OC-SORT). `publish_lost`: lost ones
    are published where they are expected, with the state `lost` and score 0. Not `enabled`: for a stream that
    is not to be tracked where all others are.
    """

    enabled: bool = True
    track_high_thresh: Share | None = None
    track_low_thresh: Share = 0.1
    new_track_thresh: Share | None = None
    match_thresh: Share = 0.8
    confirm_after: Annotated[int, Meta(ge=1, le=100)] = 4
    max_lost_ms: Milliseconds = 1000
    across_classes: bool = False
    recovery: bool = False
    publish_lost: bool = False


class StreamConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One camera or file. `pace`: a file plays at its own rate, like a camera.

    A result older than `max_age_ms` is not valid any more; a live engine never publishes it. Of a camera:
    `open_deadline_ms` is how long its first picture may take, `frame_deadline_ms` how long any other one (by
    default a second, or six of its own periods) before it is given up and opened anew; `reconnect`: `lost`
    looks again for a camera that has been there, `always` also for one that isn't there at the start, `never`
    ends the stream. `still_after_ms`: a camera whose pictures have not changed at all, or have been black,
    for so long is not valid; null for one that rightly sees nothing move, such as a screen. A client is told
    that fewer than `min_fps` results a second are a fault. `classes`, thresholds and `tracking`: as in
    Config, for this stream. `camera`: what it sees where. `zones` and `lines`: where objects are counted
    (config.places), by name; lines need tracking.
    """

    source: SourceText
    pace: bool = True
    loop: bool = False
    max_age_ms: Milliseconds = 500
    open_deadline_ms: Milliseconds = 5000
    frame_deadline_ms: Milliseconds | None = None
    reconnect: Literal["lost", "always", "never"] = "lost"
    still_after_ms: Milliseconds | None = 1000
    min_fps: Annotated[float, Meta(ge=0, le=1000)] = 0.0
    classes: LabelNames | None = None
    score_threshold: Share | None = None
    label_thresholds: dict[LabelName, Share] = {}
    tracking: TrackingConfig | None = None
    camera: CameraConfig | None = None
    zones: dict[PlaceName, ZoneConfig] = {}
    lines: dict[PlaceName, LineConfig] = {}
