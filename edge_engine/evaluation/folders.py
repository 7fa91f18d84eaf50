"""Folders: one per class for classification, or pictures with masks for segmentation."""

from __future__ import annotations

from pathlib import Path

from edge_engine.errors import DataError
from edge_engine.evaluation.datasets import Dataset, Picture, pictures_in, text_lines
from edge_engine.sources.folder import natural_order

_NAMES = ("labels.txt", "classes.txt")


def open_classes(path: Path) -> Dataset:
    """A folder's name is what the pictures in it show."""
    folders = sorted((entry for entry in path.iterdir() if entry.is_dir()), key=natural_order)
    found = {folder: pictures_in(folder) for folder in folders}
    folders = [folder for folder in folders if found[folder]]
    if not folders:
        raise DataError(
            f"{path}: expected a COCO .json, a YOLO data.yaml, or folders: images/ and labels/, images/ and "
            "masks/, or one per class with its pictures"
        )
    pictures = [Picture(p, class_id=i) for i, folder in enumerate(folders) for p in found[folder]]
    labels = tuple(folder.name for folder in folders)
    return Dataset(path, "a folder per class", frozenset({"classification"}), labels, pictures)


def open_masks(path: Path) -> Dataset:
    """A picture's mask has its name and ends in .png. A labels.txt names the classes, one a line; without
    one, the masks' class ids are the model's own."""
    found = pictures_in(path / "images")
    masks = [(path / "masks" / p.relative_to(path / "images")).with_suffix(".png") for p in found]
    pictures = [Picture(p, mask=mask) for p, mask in zip(found, masks, strict=True) if mask.is_file()]
    if found and not pictures:
        raise DataError(f"{path}: no mask for any of its pictures; expected {masks[0]} and so on")
    bare = len(found) - len(pictures)
    notes = (f"{bare} pictures without a mask are left out",) if bare else ()
    names = next((path / name for name in _NAMES if (path / name).is_file()), None)
    labels = None if names is None else tuple(text_lines(names))
    return Dataset(path, "masks", frozenset({"segmentation"}), labels, pictures, notes=notes)
