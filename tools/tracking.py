"""How well the tracker does: scores on MOT sequences, agreement with a reference, and its latency.

    python -m tools.tracking [FOLDER …] [--frame-rate F] [--option NAME=VALUE …]

A FOLDER is a sequence of MOTChallenge with gt/gt.txt and det/det.txt. Printed are HOTA, IDF1, MOTA
and switches (trackeval's, at an IoU of 0.5), of confirmed tracks and of all that is published, and how many
of the matches of supervision's ByteTrack are ours too, both with the same thresholds. Without a FOLDER: how
long a picture of 50 and of 500 objects takes. The extra `tracking` brings the scorer and the reference.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_engine.config import TrackingConfig, revalidate
from edge_engine.result import Objects, TrackState
from edge_engine.tracking.tracker import Tracker
from tests.reference.nms import iou_of

Table = NDArray[np.float64]
_HIGH = 0.5
# What supervision's ByteTrack does: new tracks from a tenth more on, published from their second picture on.
_AS_REFERENCE = TrackingConfig(confirm_after=2, new_track_thresh=_HIGH + 0.1)


class Seen(NamedTuple):
    """One box of a track: the picture's number, the track's id, its box and state."""

    frame: int
    id: int
    xyxy: tuple[float, ...]
    state: int


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER", help="MOT sequences")
    parser.add_argument("--frame-rate", type=float, default=25, help="of the sequences (default 25)")
    parser.add_argument("--option", nargs="+", default=[], metavar="NAME=VALUE", help="as under `tracking:`")
    arguments = parser.parse_args()
    config = configured(arguments.option)
    for folder in arguments.folders:
        judge(folder, config, arguments.frame_rate)
    if not arguments.folders:
        for n in (50, 500):
            show_latency(n, config)


def configured(options: list[str]) -> TrackingConfig:
    import yaml

    said = {name: yaml.safe_load(value) for name, _, value in (option.partition("=") for option in options)}
    return revalidate(TrackingConfig(**said))


def judge(folder: Path, config: TrackingConfig, frame_rate: float) -> None:
    truth, pictures = read(folder)
    seen = tracked(pictures, config, frame_rate)
    confirmed = [row for row in seen if row.state == TrackState.CONFIRMED]
    for what, rows in (("confirmed", confirmed), ("all", seen)):
        print(f"{folder.name}, {what}: {scored(truth, rows, len(pictures))}")
    # At 30 pictures a second our filter's noise is the reference's.
    alike = [row for row in tracked(pictures, _AS_REFERENCE, 30) if row.state == TrackState.CONFIRMED]
    ours, theirs = matches(alike), matches(reference(pictures))
    both = len(ours & theirs)
    print(f"{folder.name}: {both} matches of the reference's {len(theirs)} and our {len(ours)} are the same")
    print(
        f"{folder.name}: {both / max(1, len(theirs)):.1%} of theirs, {both / max(1, len(ours)):.1%} of ours"
    )


def read(folder: Path) -> tuple[Table, list[Objects]]:
    """The truth's rows that count, and the detections of each picture, best first."""
    truth = np.loadtxt(folder / "gt/gt.txt", delimiter=",", ndmin=2)
    found = np.loadtxt(folder / "det/det.txt", delimiter=",", ndmin=2)
    pictures = []
    for frame in range(1, int(max(truth[:, 0].max(), found[:, 0].max())) + 1):
        rows = found[found[:, 0] == frame]
        rows = rows[np.argsort(-rows[:, 6], kind="stable")].astype(np.float32)
        boxes_xyxy = np.concatenate([rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]], axis=1)
        pictures.append(Objects(boxes_xyxy, rows[:, 6].copy(), np.zeros(len(rows), np.int32)))
    return truth[truth[:, 6] != 0], pictures


def tracked(pictures: list[Objects], config: TrackingConfig, frame_rate: float) -> list[Seen]:
    tracker, seen = Tracker(config, _HIGH), []
    for frame, picture in enumerate(pictures, start=1):
        found = tracker.update(picture, round(frame * 1e9 / frame_rate))
        assert found.tracking is not None
        rows = zip(found.tracking.ids.tolist(), found.boxes_xyxy.tolist(), found.tracking.states, strict=True)
        seen += [Seen(frame, i, tuple(box), int(state)) for i, box, state in rows]
    return seen


def reference(pictures: list[Objects]) -> list[Seen]:
    import supervision

    tracker = supervision.ByteTrack(
        track_activation_threshold=_HIGH, lost_track_buffer=30, minimum_matching_threshold=0.8, frame_rate=30
    )
    seen = []
    for frame, picture in enumerate(pictures, start=1):
        found = tracker.update_with_detections(
            supervision.Detections(picture.boxes_xyxy, confidence=picture.scores, class_id=picture.class_ids)
        )
        rows = zip(found.tracker_id, found.xyxy.tolist(), strict=True)
        seen += [Seen(frame, int(i), tuple(box), TrackState.CONFIRMED) for i, box in rows]
    return seen


def matches(seen: list[Seen]) -> set[tuple[Any, ...]]:
    """Each box of a track with the one before it."""
    last: dict[int, Seen] = {}
    found = set()
    for row in seen:
        if row.id in last:
            found.add((last[row.id].frame, last[row.id].xyxy, row.frame, row.xyxy))
        last[row.id] = row
    return found


def scored(truth: Table, seen: list[Seen], frames: int) -> str:
    from trackeval.metrics import CLEAR, HOTA, Identity

    names, ids = np.unique(truth[:, 1]), np.unique([row.id for row in seen])
    people, tracks, similarities = [], [], []
    for frame in range(1, frames + 1):
        right, ours = truth[truth[:, 0] == frame], [row for row in seen if row.frame == frame]
        corners = np.concatenate([right[:, 2:4], right[:, 2:4] + right[:, 4:6]], axis=1)
        boxes = np.array([row.xyxy for row in ours]).reshape(-1, 4)
        people.append(np.searchsorted(names, right[:, 1]))
        tracks.append(np.searchsorted(ids, [row.id for row in ours]).astype(int))
        similarities.append(np.array([iou_of(box, boxes) for box in corners]).reshape(len(right), len(ours)))
    data = {
        "num_tracker_dets": sum(map(len, tracks)),
        "num_gt_dets": sum(map(len, people)),
        "num_tracker_ids": len(ids),
        "num_gt_ids": len(names),
        "num_timesteps": frames,
        "gt_ids": people,
        "tracker_ids": tracks,
        "similarity_scores": similarities,
    }
    quiet = {"PRINT_CONFIG": False}
    hota = HOTA().eval_sequence(data)["HOTA"].mean()
    clear, identity = CLEAR(quiet).eval_sequence(data), Identity(quiet).eval_sequence(data)
    numbers = f"HOTA {hota:.3f}, IDF1 {identity['IDF1']:.3f}, MOTA {clear['MOTA']:.3f}"
    return f"{numbers}, {clear['IDSW']:.0f} switches"


def crowd(n: int, frames: int) -> Iterator[tuple[Objects, int]]:
    """People who walk over a picture of 1920 × 1080, one in twenty unseen in each, with their stamps."""
    rng = np.random.default_rng(0)
    heights, centres = rng.uniform(40, 160, n), rng.uniform(0, 1, (n, 2)) * (1920, 1080)
    speeds, half = rng.normal(0, 80, (n, 2)), np.column_stack([heights / 5, heights / 2])
    for frame in range(frames):
        places = centres + speeds * frame / 30 + rng.normal(0, 1, (n, 2))
        boxes = np.concatenate([places - half, places + half], axis=1)[rng.random(n) > 0.05]
        scores = np.sort(rng.uniform(0.3, 1, len(boxes)))[::-1].astype(np.float32)
        yield Objects(boxes.astype(np.float32), scores, np.zeros(len(boxes), np.int32)), frame * 10**9 // 30


def show_latency(n: int, config: TrackingConfig) -> None:
    """Wall clock, and the thread's own time, which a busy machine doesn't lengthen as much."""
    tracker, clocks = Tracker(config, _HIGH), (time.perf_counter_ns, time.thread_time_ns)
    took_ms = []
    for picture, stamp_ns in crowd(n, 600):
        started_ns = [clock() for clock in clocks]
        tracker.update(picture, stamp_ns)
        took_ms.append([(clock() - then_ns) / 1e6 for clock, then_ns in zip(clocks, started_ns, strict=True)])
    (median, cpu_median), (slow, cpu_slow) = np.percentile(took_ms[20:], [50, 99], axis=0)
    print(f"{n} objects: median {median:.3f} ms, p99 {slow:.3f} ms", end="; ")
    print(f"CPU time median {cpu_median:.3f} ms, p99 {cpu_slow:.3f} ms")


if __name__ == "__main__":
    main()
