"""Tags: a .csv with a picture a line: its path, relative to the file, then its labels, one a column.

    beach/1.jpg,sea,sand
    beach/2.jpg,sea
    street.jpg

A picture without labels shows none of them. A labels.txt beside it names the labels, one a line; without one
they are all that occur.
"""

from __future__ import annotations

import csv
from pathlib import Path

from edge_engine.errors import DataError
from edge_engine.evaluation.datasets import Dataset, Picture, text_lines


def open_tags(path: Path) -> Dataset:
    rows = [[cell.strip() for cell in row] for row in csv.reader(text_lines(path))]
    named = path.with_name("labels.txt")
    labels = tuple(text_lines(named)) if named.is_file() else _labels(rows)
    pictures = [_picture(path, row, labels) for row in rows]
    missing = [picture.path for picture in pictures if not picture.path.is_file()]
    if missing:
        raise DataError(
            f"{path}: {len(missing)} of {len(rows)} pictures are missing, the first: {missing[0]}"
        )
    return Dataset(path, "tags", frozenset({"tagging"}), labels, pictures)


def _labels(rows: list[list[str]]) -> tuple[str, ...]:
    return tuple(sorted({label for row in rows for label in row[1:] if label}))


def _picture(path: Path, row: list[str], labels: tuple[str, ...]) -> Picture:
    unknown = [label for label in row[1:] if label and label not in labels]
    if unknown:
        raise DataError(f"{path}: {row[0]}: {unknown[0]!r} isn't among the labels of labels.txt")
    tags = tuple(sorted({labels.index(label) for label in row[1:] if label}))
    return Picture(path.parent / row[0], tags=tags)
