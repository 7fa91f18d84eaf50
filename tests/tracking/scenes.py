"""scenes: objects that move evenly, and what a detector that errs sees of them, with the truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_engine.config import TrackingConfig
from edge_engine.result import Objects
from edge_engine.tracking.tracker import Tracker

NS = 1_000_000_000


def around(centres: NDArray[Any]) -> NDArray[Any]:
    """Boxes xyxy [..., 4] of 40 by 80."""
    half = np.array([20, 40], centres.dtype)
    return np.concatenate([centres - half, centres + half], axis=-1)


def objects(*rows: tuple[float, ...]) -> Objects:
    """Each row: centre x, centre y, and, where said, score (0.9), class id (0); boxes are 40 by 80."""
    full = np.array([(*row, *(0.9, 0)[len(row) - 2 :]) for row in rows], np.float32).reshape(-1, 4)
    boxes = around(full[:, :2])
    return Objects(boxes, full[:, 2].copy(), full[:, 3].astype(np.int32))


def ids(found: Objects) -> list[int]:
    assert found.tracking is not None
    return [int(i) for i in found.tracking.ids]


def tracker(**changes: object) -> Tracker:
    return Tracker(TrackingConfig(**changes))  # type: ignore[arg-type]


@dataclass
class Street:
    """People that walk along lanes of their own, some to the right and some to the left, at 25 frames/s.

    `truth` float64 [frames, n, 4]; `seen`: what a detector finds, that misses one in ten, puts boxes some
    pixels off, scores some low and sees what isn't there; `seen_who`: whom each box is of, -1 for nobody."""

    truth: NDArray[np.float64]
    seen: list[Objects]
    seen_who: list[NDArray[np.int64]]

    @classmethod
    def of(cls, n: int, frames: int, seed: int) -> Street:
        rng = np.random.default_rng(seed)
        starts = np.column_stack([rng.uniform(0, 800, n), 60 + 55.0 * np.arange(n)])
        speeds = np.column_stack([rng.choice([-1, 1], n) * rng.uniform(20, 90, n), np.zeros(n)])
        centres = starts + speeds * (np.arange(frames) / 25)[:, None, None]
        truth = around(centres)
        seen, seen_who = [], []
        for boxes in truth:
            who = np.flatnonzero(rng.random(n) > 0.1)
            found = boxes[who] + rng.normal(0, 1.5, (len(who), 4))
            ghosts = np.array([(x, 2000.0, x + 40, 2080) for x in rng.uniform(0, 800, rng.integers(0, 2))])
            all_boxes = np.concatenate([found, ghosts.reshape(-1, 4)]).astype(np.float32)
            scores = np.where(rng.random(len(all_boxes)) < 0.2, 0.3, rng.uniform(0.7, 1, len(all_boxes)))
            order = np.argsort(-scores, kind="stable")
            classes = np.zeros(len(order), np.int32)
            seen.append(Objects(all_boxes[order], scores[order].astype(np.float32), classes))
            seen_who.append(np.concatenate([who, np.full(len(ghosts), -1)])[order])
        return cls(truth, seen, seen_who)
