"""Tracker: the life of tracks. Objects keep their identity from picture to picture.

ByteTrack (Zhang et al. 2021, arXiv:2110.06864) in real time. At each picture, every track is moved to where
its Kalman filter expects it by the time between the two capture stamps, so that dropped frames bend no
velocity. Then detections and tracks look for each other, at the least cost in sum, in this order:

1. high scores and all but the new tracks, by IoU · score;
2. low scores and those seen in the last picture, by IoU;
3. with `recovery`, high scores and where tracks were last seen, by IoU;
4. high scores and new tracks, by IoU · score.

    a high score of nobody ──▶ new ── confirm_after pictures ──▶ confirmed ── not seen ──▶ lost
                                └── not seen ──▶ forgotten           ▲───── seen again ─────┤
                                                                forgotten ◀── max_lost_ms ──┘

All of the first picture are confirmed at once, as in ByteTrack, whose `confirm_after` is 2.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge_engine.clock import NS_PER_MS, NS_PER_S
from edge_engine.config import TrackingConfig
from edge_engine.kernels import motion
from edge_engine.result import Objects, TrackState
from edge_engine.tracking.association import Boxes, associate, overlapping
from edge_engine.tracking.publishing import published
from edge_engine.tracking.tracks import Tracks

Mask = NDArray[np.bool_]

# ByteTrack's own, in its second and third stage, and for two tracks of one object.
_LOW_THRESH = 0.5
_NEW_THRESH = 0.7
_DUPLICATE_THRESH = 0.15
# OC-SORT's least IoU is 0.3.
_RECOVERY_THRESH = 0.7
_MOST_STEPS = 100
# What is smaller, or farther out, is no object of a picture, and its numbers could outgrow a float32.
_LEAST_SIDE_PX = 0.01
_FARTHEST_PX = 1e6


class Tracker:
    """Of one stream. `high`: the score from which a detection is a high one, or float [classes]; the
    configuration's `track_high_thresh` sets it aside. One thread at a time calls `update`."""

    def __init__(self, config: TrackingConfig, high: float | NDArray[np.floating] = 0.5) -> None:
        self._config = config
        self._high = high if config.track_high_thresh is None else config.track_high_thresh
        self._labels: Sequence[str] = ()
        self._tracks = Tracks.none()
        self._last_ns: int | None = None
        self._next_id = 1

    def adopt(self, high: float | NDArray[np.floating], labels: Sequence[str]) -> None:
        """Before a picture: the scores that hold from it on. With other labels than before, class ids mean
        something else, and all tracks end; their ids are not given again."""
        if self._config.track_high_thresh is None:
            self._high = high
        if labels != self._labels:
            self._tracks, self._labels = Tracks.none(), labels

    def update(self, objects: Objects, captured_ns: int) -> Objects:
        """Those of one picture that belong to tracks, in the same order, with their `tracking`; after them,
        if asked for, those that are lost. Objects without an area or beyond any picture are left out.

        Pictures come in the order of their stamps; one that isn't stamped later than the one before is taken
        to show the same moment.
        """
        xyxy, scores = objects.boxes_xyxy.astype(np.float64), objects.scores.astype(np.float64)
        found = Boxes(xyxy, objects.class_ids, scores)
        is_high, is_low, is_sure = self._sort(objects)
        self._move_on(captured_ns)
        is_free = self._match(found, is_high, is_low)
        self._see(found, captured_ns)
        self._begin(found, np.flatnonzero(is_free & is_sure), captured_ns)
        self._merge_duplicates()
        self._last_ns = captured_ns
        return published(self._tracks, objects, self._config.publish_lost)

    def _sort(self, objects: Objects) -> tuple[Mask, Mask, Mask]:
        """Which are high, which are low, and which may begin a track."""
        boxes_xyxy, scores = objects.boxes_xyxy, objects.scores
        is_sound: Mask = np.all(np.abs(boxes_xyxy) <= _FARTHEST_PX, axis=1)  # false for NaN
        sound_xyxy = np.where(is_sound[:, None], boxes_xyxy, 0)
        is_sound &= np.all(sound_xyxy[:, 2:] - sound_xyxy[:, :2] >= _LEAST_SIDE_PX, axis=1)
        high = self._high[objects.class_ids] if isinstance(self._high, np.ndarray) else self._high
        is_high = is_sound & (scores >= high)
        is_low = is_sound & (scores >= self._config.track_low_thresh) & ~is_high
        begins_at = self._config.new_track_thresh
        return is_high, is_low, is_high if begins_at is None else is_high & (scores >= begins_at)

    def _move_on(self, now_ns: int) -> None:
        """Forgets who has been lost for too long, and expects the others where they should be by now."""
        tracks = self._tracks
        tracks.keep(now_ns - tracks.seen_ns <= self._config.max_lost_ms * NS_PER_MS)
        passed_ns = 0 if self._last_ns is None else max(0, now_ns - self._last_ns)
        is_lost = (tracks.states == TrackState.LOST).view(np.uint8)
        tracks.boxes_xyxy = motion.predict(tracks.filters, is_lost, passed_ns / NS_PER_S)
        tracks.rows = np.full(len(tracks), -1)

    def _match(self, found: Boxes, is_high: Mask, is_low: Mask) -> Mask:
        """Gives tracks their `rows`; which detections remain free."""
        states, unweighted = self._tracks.states, found.unweighted()
        is_new, is_confirmed = states == TrackState.NEW, states == TrackState.CONFIRMED
        expected, is_free = self._tracks.boxes_xyxy, np.ones(len(found.xyxy), np.bool_)
        self._meet(expected, ~is_new, found, is_free, is_high, self._config.match_thresh)
        self._meet(expected, is_confirmed, unweighted, is_free, is_low, _LOW_THRESH)
        if self._config.recovery:
            self._meet(self._tracks.seen_xyxy, ~is_new, unweighted, is_free, is_high, _RECOVERY_THRESH)
        self._meet(expected, is_new, found, is_free, is_high, _NEW_THRESH)
        return is_free

    def _meet(
        self,
        boxes_xyxy: NDArray[np.float64],
        who: Mask,
        found: Boxes,
        is_free: Mask,
        which: Mask,
        limit: float,
    ) -> None:
        """One stage: of the tracks `who` and the detections `which`, those that have nobody yet."""
        tracks = self._tracks
        rows, columns = np.flatnonzero(who & (tracks.rows < 0)), np.flatnonzero(which & is_free)
        seekers, sought = self._comparable(tracks.at(rows, boxes_xyxy), found.at(columns))
        a, b = associate(seekers, sought, limit)
        tracks.rows[rows[a]] = columns[b]
        is_free[columns[b]] = False

    def _comparable(self, a: Boxes, b: Boxes) -> tuple[Boxes, Boxes]:
        return (a.without_classes(), b.without_classes()) if self._config.across_classes else (a, b)

    def _see(self, found: Boxes, now_ns: int) -> None:
        """Corrects who was seen, and forgets new ones that were not."""
        tracks = self._tracks
        is_seen = tracks.rows >= 0
        if self._config.recovery:
            self._replay(np.flatnonzero(is_seen & (tracks.states == TrackState.LOST)), found, now_ns)
            is_straight = is_seen & (tracks.states != TrackState.LOST)
        else:
            is_straight = is_seen
        straight, seen = np.flatnonzero(is_straight), np.flatnonzero(is_seen)
        motion.correct(tracks.filters, straight, found.xyxy[tracks.rows[straight]])
        tracks.seen_filters[seen] = tracks.filters[seen]
        tracks.seen_xyxy[seen] = found.xyxy[tracks.rows[seen]]
        tracks.class_ids[seen] = found.class_ids[tracks.rows[seen]]
        tracks.seen_ns[seen], tracks.missed[seen] = now_ns, 0
        tracks.missed[~is_seen] += 1
        tracks.hits[seen] += 1
        is_new = tracks.states == TrackState.NEW
        tracks.states[is_seen & (~is_new | (tracks.hits >= self._config.confirm_after))] = (
            TrackState.CONFIRMED
        )
        tracks.states[~is_seen] = TrackState.LOST
        tracks.keep(is_seen | ~is_new)

    def _replay(self, rows: NDArray[np.int64], found: Boxes, now_ns: int) -> None:
        """Those that are back after having been lost."""
        tracks = self._tracks
        filters = tracks.seen_filters[rows]
        seconds = np.maximum(0, now_ns - tracks.seen_ns[rows]) / NS_PER_S
        steps = np.minimum(tracks.missed[rows] + 1, _MOST_STEPS)
        motion.replay(filters, tracks.seen_xyxy[rows], found.xyxy[tracks.rows[rows]], seconds, steps)
        tracks.filters[rows] = filters

    def _begin(self, found: Boxes, rows: NDArray[np.int64], now_ns: int) -> None:
        if len(rows):
            ids = np.arange(self._next_id, self._next_id + len(rows))
            self._next_id += len(rows)
            is_known = self._last_ns is None or self._config.confirm_after == 1
            state = TrackState.CONFIRMED if is_known else TrackState.NEW
            self._tracks.add(Tracks.born(ids, state, found.at(rows), rows, now_ns))

    def _merge_duplicates(self) -> None:
        """Where a lost track is expected just where another one is seen, the older identity of both stays."""
        tracks = self._tracks
        is_lost = tracks.states == TrackState.LOST
        lost, seen = np.flatnonzero(is_lost), np.flatnonzero(~is_lost)
        a, b = tracks.at(lost, tracks.boxes_xyxy), tracks.at(seen, tracks.seen_xyxy)
        is_kept = np.ones(len(tracks), np.bool_)
        ages_ns = tracks.seen_ns - tracks.born_ns
        for i, j in overlapping(*self._comparable(a, b), _DUPLICATE_THRESH):
            if is_kept[lost[i]] and ages_ns[lost[i]] >= ages_ns[seen[j]]:
                tracks.merge(lost[i], seen[j])
            is_kept[lost[i]] = False
        tracks.keep(is_kept)
