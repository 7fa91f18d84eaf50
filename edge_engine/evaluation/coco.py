"""COCO: an annotation file as cocodataset.org's "data format" page has it, and where its pictures lie."""

from __future__ import annotations

from pathlib import Path

import msgspec

from edge_engine.errors import DataError
from edge_engine.evaluation.datasets import Dataset, Labelled, Outline, Picture
from edge_engine.models.spec import Task

Id = int | str


class _Image(msgspec.Struct):
    id: Id
    file_name: str
    width: int | None = None
    height: int | None = None


class _Rle(msgspec.Struct):
    size: tuple[int, int]
    counts: list[int] | str


class _Annotation(msgspec.Struct):
    image_id: Id
    category_id: int
    bbox: tuple[float, float, float, float] | None = None
    id: Id = 0
    area: float | None = None
    iscrowd: int = 0
    segmentation: list[list[float]] | _Rle | None = None
    keypoints: list[float] | None = None


class _Category(msgspec.Struct):
    id: int
    name: str
    keypoints: list[str] = []


class _File(msgspec.Struct):
    images: list[_Image]
    annotations: list[_Annotation]
    categories: list[_Category]


def open_coco(path: Path, images: Path | None = None) -> Dataset:
    """Pictures in the order of their ids, as the reference tool takes them: equal scores are ranked so."""
    file = _read(path)
    categories = sorted(file.categories, key=lambda category: category.id)
    class_ids = {category.id: i for i, category in enumerate(categories)}
    objects: dict[Id, list[Labelled]] = {image.id: [] for image in file.images}
    for annotation in file.annotations:
        if annotation.category_id not in class_ids:
            raise DataError(
                f"{path}: annotation {annotation.id} has category {annotation.category_id}, which isn't "
                "among its categories"
            )
        if annotation.image_id in objects:
            objects[annotation.image_id].append(
                _labelled(path, annotation, class_ids[annotation.category_id])
            )
    folder = _folder(path, images, file.images)
    pictures = [
        Picture(
            folder / image.file_name,
            tuple(objects[image.id]),
            _size(image),
            tags=tuple(sorted({labelled.class_id for labelled in objects[image.id]})),
        )
        for image in sorted(file.images, key=lambda image: (isinstance(image.id, str), image.id))
    ]
    names = next((tuple(category.keypoints) for category in categories if category.keypoints), ())
    labels = tuple(category.name for category in categories)
    tasks = _tasks(pictures, all(each.bbox is not None for each in file.annotations))
    return Dataset(path, "COCO", tasks, labels, pictures, names)


def _read(path: Path) -> _File:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_File)
    except OSError as error:
        raise DataError(f"{path}: can't be read: {error.strerror}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a COCO annotation file: {error}") from None


def _size(image: _Image) -> tuple[int, int] | None:
    return (image.width, image.height) if image.width and image.height else None


def _labelled(path: Path, annotation: _Annotation, class_id: int) -> Labelled:
    bbox = annotation.bbox or (0.0, 0.0, 0.0, 0.0)  # of a whole picture, for tagging
    width, height = bbox[2:]
    area = width * height if annotation.area is None else annotation.area
    keypoints = annotation.keypoints
    if keypoints is not None and len(keypoints) % 3:
        raise DataError(f"{path}: annotation {annotation.id}: keypoints are not x, y, visibility in turn")
    return Labelled(
        class_id,
        bbox,
        area,
        bool(annotation.iscrowd),
        _outline(path, annotation),
        None if keypoints is None else tuple(keypoints),
    )


def _outline(path: Path, annotation: _Annotation) -> Outline | None:
    outline = annotation.segmentation
    if not outline:
        return None
    if isinstance(outline, _Rle):
        return msgspec.structs.asdict(outline)
    if any(len(polygon) < 6 or len(polygon) % 2 for polygon in outline):
        raise DataError(
            f"{path}: annotation {annotation.id}: a polygon needs x and y of at least three points"
        )
    return outline


def _tasks(pictures: list[Picture], have_boxes: bool) -> frozenset[Task]:
    if not have_boxes:
        return frozenset({"tagging"})
    tasks: set[Task] = {"detection", "tagging"}
    objects = [labelled for picture in pictures for labelled in picture.objects]
    if any(labelled.outline is not None for labelled in objects):
        tasks.add("instance-segmentation")
    if any(labelled.keypoints is not None for labelled in objects):
        tasks.add("pose")
    return frozenset(tasks)


def _folder(path: Path, images: Path | None, named: list[_Image]) -> Path:
    """The folder that has the pictures: as told, or beside the file as COCO itself lies on a disk."""
    if images is not None:
        tried = [images]
    else:
        split = path.stem.rpartition("_")[2]  # of instances_val2017.json
        beside, above = path.parent, path.parent.parent
        tried = [beside, beside / "images", beside / split]
        tried += [above / split, above, above / "images", above / "images" / split]
    missing = {folder: [i for i in named if not (folder / i.file_name).is_file()] for folder in tried}
    best = min(missing, key=lambda folder: len(missing[folder]))
    if missing[best]:
        raise DataError(
            f"{path}: {len(missing[best])} of its {len(named)} pictures are missing, among them "
            f"{missing[best][0].file_name}; looked in {best}: give their folder with --images"
        )
    return best
