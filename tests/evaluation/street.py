"""Pictures of the street clip, labelled by eye: what detection is judged on in the tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import av
import cv2

from tests.clip import SIZE, clip_path

CATEGORIES = {1: "person", 2: "bicycle", 3: "car", 4: "motorcycle", 90: "bollard"}
LEFT_OUT = "bollard"  # which no COCO model knows
CROWD = (165, "car", (0, 100, 52, 130))
OBJECTS: dict[int, list[tuple[str, tuple[int, int, int, int]]]] = {
    30: [
        ("person", (163, 0, 384, 272)),
        ("car", (380, 15, 640, 272)),
        ("car", (0, 112, 120, 272)),
    ],
    105: [
        ("person", (346, 26, 482, 202)),
        ("motorcycle", (531, 157, 640, 272)),
        ("car", (0, 30, 300, 272)),
        ("car", (268, 130, 545, 272)),
    ],
    135: [
        ("person", (352, 0, 488, 272)),
        ("bicycle", (378, 162, 522, 272)),
        ("motorcycle", (531, 126, 640, 272)),
        ("car", (0, 20, 300, 272)),
    ],
    165: [
        ("car", (326, 96, 446, 170)),
        ("car", (57, 100, 165, 172)),
        ("car", (522, 101, 608, 163)),
        ("bicycle", (120, 30, 316, 272)),
    ],
    195: [
        ("person", (207, 0, 345, 250)),
        ("bicycle", (318, 10, 580, 200)),
        ("bollard", (232, 98, 303, 272)),
    ],
}
"""By number of the frame: label, left, top, right, bottom."""


def write_pictures(folder: Path) -> None:
    folder.mkdir(parents=True)
    with av.open(str(clip_path())) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number in OBJECTS:
                cv2.imwrite(str(folder / f"{number}.jpg"), frame.to_ndarray(format="bgr24"))


def write_coco(folder: Path) -> Path:
    """`annotations/instances_val.json` beside `val/` with the pictures, as COCO itself lies on a disk."""
    write_pictures(folder / "val")
    ids = {name: i for i, name in CATEGORIES.items()}
    labelled = [(number, *each, 0) for number, objects in OBJECTS.items() for each in objects]
    annotations = []
    for number, label, (left, top, right, bottom), is_crowd in [*labelled, (*CROWD, 1)]:
        width, height = right - left, bottom - top
        annotations.append(
            {
                "id": len(annotations) + 1,
                "image_id": number,
                "category_id": ids[label],
                "bbox": [left, top, width, height],
                "area": 0.6 * width * height,
                "iscrowd": is_crowd,
            }
        )
    file: dict[str, Any] = {
        "images": [
            {"id": number, "file_name": f"{number}.jpg", "width": SIZE[0], "height": SIZE[1]}
            for number in reversed(OBJECTS)
        ],
        "annotations": annotations,
        "categories": [{"id": i, "name": name} for i, name in CATEGORIES.items()],
    }
    path = folder / "annotations" / "instances_val.json"
    path.parent.mkdir()
    path.write_text(json.dumps(file))
    return path


def write_yolo(folder: Path) -> Path:
    """The same without the crowd, as data.yaml with `images/val` and `labels/val`."""
    write_pictures(folder / "images" / "val")
    labels = folder / "labels" / "val"
    labels.mkdir(parents=True)
    names = list(CATEGORIES.values())
    for number, objects in OBJECTS.items():
        lines = []
        for label, (left, top, right, bottom) in objects:
            centre = (left + right) / 2 / SIZE[0], (top + bottom) / 2 / SIZE[1]
            size = (right - left) / SIZE[0], (bottom - top) / SIZE[1]
            lines.append(" ".join([str(names.index(label)), *(f"{v:.9f}" for v in (*centre, *size))]))
        (labels / f"{number}.txt").write_text("\n".join(lines) + "\n")
    file = folder / "data.yaml"
    named = "".join(f"  {i}: {name}\n" for i, name in enumerate(names))
    file.write_text(f"path: .\ntrain: images/train\nval: images/val\nnames:\n{named}")
    return file
