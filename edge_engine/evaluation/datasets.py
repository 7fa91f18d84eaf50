"""Datasets: labelled pictures, whatever the files they come in.

| what is given | labels | task |
|---|---|---|
| `instances.json` | COCO's boxes, outlines, keypoints | detection, instance segmentation, pose |
| the same, boxes or not | the categories that a picture has objects of | tagging |
| a `.csv` | a picture's path and its labels, see tags.py | tagging |
| `data.yaml`, or a folder with `images/` and `labels/` | YOLO's text files | the same |
| a folder with `images/` and `masks/` | PNGs of class ids, 255 is void | segmentation |
| a folder of one folder per class | the folders' names | classification |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from edge_engine.errors import DataError
from edge_engine.models.spec import Task
from edge_engine.sources.folder import SUFFIXES, natural_order

Outline: TypeAlias = "list[list[float]] | dict[str, Any]"
"""As in COCO: polygons, each x, y, x, y …, or a run-length encoding with `size` (height, width), `counts`."""

_FOUND_IN = {
    "coco": "coco:open_coco",
    "yolo": "yolo:open_yolo",
    "masks": "folders:open_masks",
    "tags": "tags:open_tags",
}


@dataclass(frozen=True, slots=True)
class Labelled:
    """One labelled object, in pixels of the picture as it is stored.

    `class_id`: index into the dataset's labels; `box_xywh`: left, top, width, height; `area`: what its size
    is judged by; `is_crowd`: what overlaps it counts neither for nor against a model; `keypoints`: x, y,
    visibility (0 not labelled, 1 hidden, 2 visible), one after the other.
    """

    class_id: int
    box_xywh: tuple[float, float, float, float]
    area: float
    is_crowd: bool = False
    outline: Outline | None = None
    keypoints: tuple[float, ...] | None = None

    def scaled(self, width: int, height: int) -> Labelled:
        """From shares of a picture to its pixels; an outline must be of polygons."""
        x, y, w, h = self.box_xywh
        outline, keypoints = self.outline, self.keypoints
        if outline is not None:
            outline = [_scaled(polygon, width, height) for polygon in outline if isinstance(polygon, list)]
        if keypoints is not None:
            points = np.array(keypoints).reshape(-1, 3) * (width, height, 1)
            keypoints = tuple(points.ravel().tolist())
        box = (x * width, y * height, w * width, h * height)
        return replace(
            self, box_xywh=box, area=self.area * width * height, outline=outline, keypoints=keypoints
        )


def _scaled(polygon: list[float], width: int, height: int) -> list[float]:
    scaled: list[float] = (np.array(polygon).reshape(-1, 2) * (width, height)).ravel().tolist()
    return scaled


class Picture(NamedTuple):
    """`size`: (width, height) that the labels are for; None when they are in shares of it. `class_id`: what
    the whole picture shows. `mask`: the file with a class for each pixel. `tags`: all
    labels that hold for it."""

    path: Path
    objects: tuple[Labelled, ...] = ()
    size: tuple[int, int] | None = None
    is_in_shares: bool = False
    class_id: int = -1
    mask: Path | None = None
    tags: tuple[int, ...] = ()

    def objects_in(self, size: tuple[int, int]) -> tuple[Labelled, ...]:
        """The objects in pixels of the picture, which turned out to be of this size."""
        if self.size not in (None, size):
            raise DataError(
                f"{self.path}: is {size[0]}×{size[1]} pixels as stored, its labels are for "
                f"{self.size[0]}×{self.size[1]}; EXIF orientation isn't applied: turn the picture itself"
            )
        return tuple(o.scaled(*size) for o in self.objects) if self.is_in_shares else self.objects


@dataclass(frozen=True)
class Dataset:
    """`labels`: None when the data doesn't name them, so that its class ids are the model's own.

    `tasks`: what it has labels for. `notes`: what a user should know of it, a line each.
    """

    path: Path
    kind: str
    tasks: frozenset[Task]
    labels: tuple[str, ...] | None
    pictures: Sequence[Picture]
    keypoint_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def open_dataset(path: Path, images: Path | None = None) -> Dataset:
    """`images`: where a COCO file's pictures are. Raises DataError, in one line."""
    if not path.exists():
        raise DataError(f"{path}: no such file or folder")
    if images is not None and not images.is_dir():
        raise DataError(f"--images {images}: no such folder")
    kind = _kind(path)
    if kind != "coco" and images is not None:
        raise DataError(f"--images {images}: only a COCO file needs it; {path} has its pictures with it")
    module, function = _FOUND_IN.get(kind, "folders:open_classes").split(":")
    opener = getattr(import_module(f"edge_engine.evaluation.{module}"), function)
    dataset: Dataset = opener(path, images) if kind == "coco" else opener(path)
    if not dataset.pictures:
        raise DataError(f"{path}: no pictures in it; expected files ending in {' '.join(sorted(SUFFIXES))}")
    return dataset


def _kind(path: Path) -> str:
    if path.is_file():
        kinds = {".json": "coco", ".yaml": "yolo", ".yml": "yolo", ".csv": "tags"}
        if path.suffix.lower() not in kinds:
            raise DataError(f"{path}: expected COCO's .json, YOLO's data.yaml, a .csv of tags, or a folder")
        return kinds[path.suffix.lower()]
    if (path / "data.yaml").exists() or ((path / "images").is_dir() and (path / "labels").is_dir()):
        return "yolo"
    return "masks" if (path / "images").is_dir() and (path / "masks").is_dir() else "classes"


def pictures_in(folder: Path) -> list[Path]:
    """All pictures of a folder and those inside it, in natural order, folder by folder."""
    found = [path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file()]
    return sorted(found, key=lambda path: (str(path.parent), natural_order(path)))


def text_lines(file: Path) -> list[str]:
    """A text file's lines, without those that are empty."""
    try:
        return [line.strip() for line in file.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except OSError as error:
        raise DataError(f"{file}: can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise DataError(f"{file}: not a text file") from None


def spread(pictures: Sequence[Picture], limit: int | None) -> list[Picture]:
    """At most so many of the pictures, evenly spread over all of them."""
    if limit is None or limit >= len(pictures):
        return list(pictures)
    return [pictures[i] for i in np.linspace(0, len(pictures) - 1, limit).round().astype(int)]
