"""Result: what was recognised in one frame, as structs of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from edge_engine.counting import Counted, Event, LineCount, ZoneCount
from edge_engine.frame import Frame
from edge_engine.letterbox import Letterbox


class TrackState(IntEnum):
    """Of a tracked object: seen in this picture, and first in one of the last few; seen in it, and known for
    longer; known, but not seen in it."""

    NEW = 0
    CONFIRMED = 1
    LOST = 2


@dataclass(slots=True)
class Tracking:
    """Who the n objects of a picture are, row by row.

    `ids`: int64 [n], from 1 up, each given once per stream and session, never again and never to two.
    `states`: int8 [n], as TrackState. `velocities`: float32 [n, 2], the box's centre in source pixels per
    second of the camera's clock; `velocity_covariances`: float32 [n, 2, 2], of their errors, as the filter
    estimates them: large for whoever is new or lost.
    """

    ids: NDArray[np.int64]
    states: NDArray[np.int8]
    velocities: NDArray[np.float32]
    velocity_covariances: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.ids)

    def at(self, which: NDArray[np.bool_]) -> Tracking:
        """Some of them, bool [n]."""
        return Tracking(
            self.ids[which], self.states[which], self.velocities[which], self.velocity_covariances[which]
        )


class DistanceBy(IntEnum):
    """How an object's distance was got: not at all, by where its foot meets the ground, by how tall it is."""

    NOTHING = 0
    GROUND = 1
    HEIGHT = 2


@dataclass(slots=True)
class Geometry:
    """Where the n objects of a picture are, row by row, with standard deviations; NaN where that isn't known.

    The axes are the robot's: x forward, y left, z up (REP-103), from the point on the ground below the lens.
    float32 [n]: `bearings_deg`, from forward, positive to the left, and `elevations_deg`, from the horizon,
    positive up, of the box's middle as the camera sees it; `distances_m` over the ground to the object's
    foot. `positions_m` [n, 3]: of that foot, and their `position_covariances` [n, 3, 3], m². `distance_by`:
    int8 [n], as DistanceBy.
    """

    bearings_deg: NDArray[np.float32]
    bearing_stds_deg: NDArray[np.float32]
    elevations_deg: NDArray[np.float32]
    elevation_stds_deg: NDArray[np.float32]
    distances_m: NDArray[np.float32]
    distance_stds_m: NDArray[np.float32]
    positions_m: NDArray[np.float32]
    position_covariances: NDArray[np.float32]
    distance_by: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.distance_by)


@dataclass(slots=True)
class Objects:
    """n recognised objects, highest score first: detection, instance segmentation, pose.

    `boxes_xyxy`: float32 [n, 4], left, top, right, bottom; `scores`: float32 [n], 0..1;
    `class_ids`: int32 [n], index into the model's labels. Where the model has them: `keypoints`,
    float32 [n, k, 3], x, y and a score 0..1 each; `masks`, uint8 [n, rows, columns], 1 inside, a grid over
    the whole picture. `tracking`, where the stream is tracked: who they are. `geometry`, where its camera is
    described: where they are.
    """

    boxes_xyxy: NDArray[np.float32]
    scores: NDArray[np.float32]
    class_ids: NDArray[np.int32]
    keypoints: NDArray[np.float32] | None = None
    masks: NDArray[np.uint8] | None = None
    tracking: Tracking | None = None
    geometry: Geometry | None = None

    def __post_init__(self) -> None:
        n = len(self.scores)
        if self.boxes_xyxy.shape != (n, 4) or self.class_ids.shape != (n,):
            raise ValueError(
                f"objects disagree in number: boxes {self.boxes_xyxy.shape}, scores {self.scores.shape}, "
                f"classes {self.class_ids.shape}"
            )
        for name, array in (("keypoints", self.keypoints), ("masks", self.masks)):
            if array is not None and (array.ndim != 3 or len(array) != n):
                raise ValueError(f"{name} {array.shape} are not {n} of three dimensions in all")
        if self.tracking is not None and len(self.tracking) != n:
            raise ValueError(f"{len(self.tracking)} tracks are not of {n} objects")

    def __len__(self) -> int:
        return len(self.scores)

    def are_seen(self) -> NDArray[np.bool_]:
        """[n]: which of them are in this very picture, which is all but a tracked stream's lost ones."""
        if self.tracking is None:
            return np.ones(len(self), np.bool_)
        are_seen: NDArray[np.bool_] = self.tracking.states != TrackState.LOST
        return are_seen

    @classmethod
    def none(cls) -> Objects:
        return cls(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.int32))

    def to_source(self, box: Letterbox) -> Objects:
        """From model-input pixels to source pixels."""
        keypoints, masks = self.keypoints, self.masks
        if keypoints is not None:
            keypoints = keypoints.copy()
            keypoints[..., :2] = box.points_to_source(keypoints[..., :2])
        if masks is not None:
            masks = box.crop(masks)
        return Objects(box.to_source(self.boxes_xyxy), self.scores, self.class_ids, keypoints, masks)


@dataclass(slots=True)
class Tags:
    """What the whole picture shows, highest score first: classification (the best few) and tagging (all
    above their thresholds). `class_ids`: int32 [m], index into the labels; `scores`: float32 [m], 0..1."""

    class_ids: NDArray[np.int32]
    scores: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.scores)

    def to_source(self, box: Letterbox) -> Tags:
        return self


@dataclass(slots=True)
class Segmentation:
    """A class for each cell of a grid over the whole picture.

    `class_ids`: uint8 or uint16 [rows, columns], index into the labels, or `void`.
    """

    class_ids: NDArray[np.unsignedinteger]

    @property
    def void(self) -> int:
        """What stands for the classes that aren't asked for: 255, or 65535 in uint16."""
        return int(np.iinfo(self.class_ids.dtype).max)

    def shares(self) -> dict[int, float]:
        """Of the picture, 0..1, by each class that is there and asked for."""
        cells = np.bincount(self.class_ids.ravel())
        found = np.flatnonzero(cells[: self.void])
        return {int(i): float(cells[i] / self.class_ids.size) for i in found}

    def to_source(self, box: Letterbox) -> Segmentation:
        """From a grid over the model's input to one over the picture."""
        return Segmentation(box.crop(self.class_ids))


Answer: TypeAlias = Objects | Tags | Segmentation
"""What a model says of one picture, by its task."""

_NOTHING = Objects.none()
_UNCOUNTED = Counted()


@dataclass(slots=True)
class Result:
    """One frame's answer. Boxes are in source pixels; stamps are monotonic nanoseconds.

    `frame.pixels` is there only in an engine that was asked to keep them. `counted`: in the stream's zones
    and at its lines.
    """

    frame: Frame
    answer: Answer
    labels: Sequence[str]
    model: str
    session: str
    valid_until_ns: int
    published_ns: int = 0
    counted: Counted = _UNCOUNTED

    @property
    def stream(self) -> str:
        return self.frame.stream

    @property
    def seq(self) -> int:
        return self.frame.seq

    @property
    def objects(self) -> Objects:
        """None in number where the model's task is another one."""
        return self.answer if isinstance(self.answer, Objects) else _NOTHING

    @property
    def tags(self) -> Tags | None:
        return self.answer if isinstance(self.answer, Tags) else None

    @property
    def segmentation(self) -> Segmentation | None:
        return self.answer if isinstance(self.answer, Segmentation) else None

    @property
    def zones(self) -> tuple[ZoneCount, ...]:
        return self.counted.zones

    @property
    def lines(self) -> tuple[LineCount, ...]:
        return self.counted.lines

    @property
    def events(self) -> tuple[Event, ...]:
        return self.counted.events

    def names(self) -> list[str]:
        """Each object's or tag's label in their order, or each label that the segmentation holds."""
        if isinstance(self.answer, Segmentation):
            return [self.labels[class_id] for class_id in self.answer.shares()]
        return [self.labels[class_id] for class_id in self.answer.class_ids]
