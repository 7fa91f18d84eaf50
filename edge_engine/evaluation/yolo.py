"""YOLO folders: pictures in `images/`, a text file for each in `labels/`, classes named in a data.yaml.

A line of a label file is a class id, then shares of the picture's width and height: centre x, centre y, width
and height of a box; or a polygon's x and y in turn; or a box and each keypoint's x, y and, where
`kpt_shape` ends in 3, visibility (facts from Ultralytics' pages on dataset formats).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import msgspec
import numpy as np

from edge_engine.errors import ConfigError, DataError
from edge_engine.evaluation.datasets import Dataset, Labelled, Picture, pictures_in, text_lines
from edge_engine.models.spec import Task
from edge_engine.yaml.source import parse, read_text

_SPLITS = ("val", "test", "train")
_LISTS = (Path("classes.txt"), Path("labels/classes.txt"))
# Of a person's box, about this share is the person's: what OKS takes for the area where there is no outline.
_BODY_SHARE = 0.53
_ROUNDING = 0.01

Places: TypeAlias = str | list[str] | None


class _Yaml(msgspec.Struct):
    path: str | None = None
    val: Places = None
    test: Places = None
    train: Places = None
    names: list[str] | dict[str, str] = []
    kpt_shape: tuple[int, int] | None = None


class _Terms(NamedTuple):
    """What a label file's lines are read by. `classes`: how many there are, None if that isn't known."""

    classes: int | None
    keypoint_shape: tuple[int, int] | None


def open_yolo(path: Path) -> Dataset:
    """Of a data.yaml, the pictures of `val`, else of `test` or `train`. One without a label file shows
    nothing."""
    folder = path if path.is_dir() else path.parent
    file = folder / "data.yaml" if path.is_dir() else path
    described = _read(file) if file.exists() else _Yaml()
    labels = _names(file, described) or _listed(folder)
    places = _places(file, described) if file.exists() else [folder / "images"]
    terms = _Terms(None if labels is None else len(labels), described.kpt_shape)
    paths = [picture for place in places for picture in _pictures(place)]
    files = {picture: _label_file(picture) for picture in paths}
    if paths and not any(file.exists() for file in files.values()):
        raise DataError(f"{path}: no label file beside its pictures; expected {files[paths[0]]} and so on")
    pictures = [Picture(p, tuple(_objects(files[p], terms)), is_in_shares=True) for p in paths]
    return Dataset(path, "YOLO", _tasks(pictures, described), labels, pictures)


def _read(file: Path) -> _Yaml:
    try:
        return msgspec.convert(parse(read_text(file), str(file)).value, _Yaml, strict=False)
    except ConfigError as error:
        raise DataError(str(error)) from None
    except msgspec.ValidationError as error:
        raise DataError(f"{file}: not a YOLO data.yaml: {error}") from None


def _names(file: Path, described: _Yaml) -> tuple[str, ...] | None:
    names = described.names
    if not names:
        return None
    if isinstance(names, list):
        return tuple(names)
    if set(names) != {str(i) for i in range(len(names))}:
        raise DataError(f"{file}: names must be numbered from 0 to {len(names) - 1}")
    return tuple(names[str(i)] for i in range(len(names)))


def _listed(folder: Path) -> tuple[str, ...] | None:
    """Names as labelling programs leave them, one a line."""
    for name in _LISTS:
        if (folder / name).is_file():
            return tuple(text_lines(folder / name))
    return None


def _places(file: Path, described: _Yaml) -> list[Path]:
    """Folders of pictures, or text files that list them."""
    given: Places = next((v for s in _SPLITS if (v := getattr(described, s))), None)
    if given is None:
        return [file.parent / "images"]
    root = file.parent / (described.path or "")
    if not root.exists():
        root = file.parent  # Ultralytics looks for `path` in a folder of its own
    places = [root / place for place in ([given] if isinstance(given, str) else given)]
    for place in places:
        if not place.exists():
            raise DataError(f"{file}: {place}: no such folder or list of pictures")
    return places


def _pictures(place: Path) -> list[Path]:
    if place.is_dir():
        return pictures_in(place)
    if place.suffix != ".txt":
        raise DataError(f"{place}: expected a folder of pictures or a .txt that lists them")
    listed = [place.parent / line for line in text_lines(place)]
    missing = [path for path in listed if not path.is_file()]
    if missing:
        raise DataError(
            f"{place}: {len(missing)} of {len(listed)} pictures are missing, the first: {missing[0]}"
        )
    return listed


def _label_file(picture: Path) -> Path:
    """`…/images/a/b.jpg` → `…/labels/a/b.txt`; the last `images` of a path counts."""
    parts = list(picture.parts)
    if "images" in parts:
        parts[len(parts) - 1 - parts[::-1].index("images")] = "labels"
    return Path(*parts).with_suffix(".txt")


def _objects(file: Path, terms: _Terms) -> list[Labelled]:
    if not file.exists():
        return []
    return [_object(f"{file}: object {i}", line, terms) for i, line in enumerate(text_lines(file), 1)]


def _object(where: str, line: str, terms: _Terms) -> Labelled:
    try:
        numbers = [float(word) for word in line.split()]
    except ValueError:
        raise DataError(f"{where}: expected numbers, found {line[:40]!r}") from None
    highest = np.inf if terms.classes is None else terms.classes - 1
    if not (numbers[0].is_integer() and 0 <= numbers[0] <= highest):
        known = "a class id" if terms.classes is None else f"a class id from 0 to {terms.classes - 1}"
        raise DataError(f"{where}: expected {known}, found {line.split()[0]}")
    class_id, values = int(numbers[0]), np.array(numbers[1:])
    if terms.keypoint_shape is not None and len(values) == 4 + np.prod(terms.keypoint_shape):
        return _with_keypoints(where, class_id, values, terms.keypoint_shape)
    if len(values) == 4:
        return Labelled(class_id, _box(where, values), float(values[2] * values[3]))
    if len(values) < 6 or len(values) % 2:
        raise DataError(f"{where}: expected a box of 4 numbers or a polygon, found {len(values)} numbers")
    points = _shares(where, values).reshape(-1, 2)
    left, top = points.min(axis=0)
    width, height = points.max(axis=0) - (left, top)
    box = (float(left), float(top), float(width), float(height))
    return Labelled(class_id, box, _area(points), outline=[values.tolist()])


def _with_keypoints(where: str, class_id: int, values: Any, shape: tuple[int, int]) -> Labelled:  # noqa: ANN401
    box = _box(where, values[:4])
    points = values[4:].reshape(shape)
    _shares(where, points[:, :2].ravel())
    if shape[1] == 2:  # (0, 0) stands for a keypoint that isn't labelled
        points = np.column_stack([points, np.where(points.any(axis=1), 2, 0)])
    return Labelled(class_id, box, box[2] * box[3] * _BODY_SHARE, keypoints=tuple(points.ravel().tolist()))


def _box(where: str, values: Any) -> tuple[float, float, float, float]:  # noqa: ANN401
    x, y, width, height = (float(value) for value in _shares(where, values))
    return (x - width / 2, y - height / 2, width, height)


def _shares(where: str, values: Any) -> Any:  # noqa: ANN401
    if not ((values >= -_ROUNDING) & (values <= 1 + _ROUNDING)).all():
        raise DataError(
            f"{where}: expected shares of the picture, 0 to 1, found {values.round(3).tolist()[:6]}"
        )
    return values


def _area(points: Any) -> float:  # noqa: ANN401
    """A polygon's, by Gauss's formula; its corners are x and y, float [n, 2]."""
    x, y = points.T
    return float(abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2)


def _tasks(pictures: list[Picture], described: _Yaml) -> frozenset[Task]:
    tasks: set[Task] = {"detection"}
    objects = [labelled for picture in pictures for labelled in picture.objects]
    if any(labelled.outline is not None for labelled in objects):
        tasks.add("instance-segmentation")
    if described.kpt_shape is not None and any(labelled.keypoints is not None for labelled in objects):
        tasks.add("pose")
    return frozenset(tasks)
