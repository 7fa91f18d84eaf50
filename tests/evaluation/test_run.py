"""Pictures through a model on several threads: what comes out keeps their order, and an error ends it."""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_engine.errors import DataError
from edge_engine.evaluation.datasets import Picture
from edge_engine.evaluation.run import answers
from edge_engine.models.model import Model
from edge_engine.models.providers import Setting
from edge_engine.result import Answer, Tags
from tests.evaluation.made_families import classifier, known_families

COLOURS = {f"grey {level}": (float(level),) * 3 for level in range(0, 250, 10)}


def pictures_of(folder: Path) -> list[Picture]:
    """One of each label, in turn; each of another size."""
    for i in range(len(COLOURS)):
        cv2.imwrite(str(folder / f"{i}.png"), np.full((8 + i, 40 - i, 3), 10 * i, np.uint8))
    return [Picture(folder / f"{i}.png") for i in range(len(COLOURS))]


def first(picture: Picture, size: tuple[int, int], answer: Answer) -> tuple[str, tuple[int, int], int]:
    assert isinstance(answer, Tags)
    return picture.path.stem, size, int(answer.class_ids[0])


def model_in(folder: Path, workers: int) -> Model:
    return Model(classifier(folder / "model.onnx", COLOURS), Setting(workers=workers))


@pytest.mark.parametrize("workers", [1, 3])
def test_answers_come_in_the_order_of_the_pictures(tmp_path: Path, workers: int) -> None:
    with known_families():
        found = list(answers(model_in(tmp_path, workers), pictures_of(tmp_path), first, 0.0))
    assert found == [(str(i), (40 - i, 8 + i), i) for i in range(len(COLOURS))]


def test_a_picture_that_cannot_be_read_ends_it_with_its_name_and_no_thread_stays(tmp_path: Path) -> None:
    pictures = pictures_of(tmp_path)
    pictures[4].path.write_bytes(b"")
    with known_families(), pytest.raises(DataError, match=r"4\.png: the file is empty"):
        list(answers(model_in(tmp_path, 2), pictures, first, 0.0))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("eval")]


def test_who_has_seen_enough_may_leave(tmp_path: Path) -> None:
    with known_families():
        stream = answers(model_in(tmp_path, 2), pictures_of(tmp_path), first, 0.0)
        assert next(iter(stream))[0] == "0"
        stream.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("eval")]
