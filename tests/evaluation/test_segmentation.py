"""Segmentation: pictures of few colours, whose overlaps can be counted by hand, and one of a cat."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_engine.errors import DataError
from edge_engine.evaluation.datasets import open_dataset
from edge_engine.evaluation.evaluate import evaluate
from edge_engine.evaluation.report import Overlap
from edge_engine.evaluation.segmentation import confusion, overlap, read_mask
from edge_engine.models.model import Model
from edge_engine.models.providers import Setting
from edge_engine.models.spec import Fit
from tests.evaluation.made_families import SIZE, known_families, segmenter
from tests.evaluation.test_classification import CATS, photograph

LABELS = ("red", "green", "blue")
RGB = np.eye(3, dtype=np.uint8) * 200


def write(folder: Path, name: str, shown: NDArray[np.uint8], labelled: NDArray[np.uint8]) -> None:
    """A picture that shows class ids, as colours, and its mask, both [rows, columns]."""
    for part in ("images", "masks"):
        (folder / part).mkdir(exist_ok=True)
    cv2.imwrite(str(folder / f"images/{name}.png"), RGB[shown][..., ::-1])
    cv2.imwrite(str(folder / f"masks/{name}.png"), labelled)


def judged(folder: Path, letterbox: Fit = "stretch") -> Overlap:
    with known_families():
        model = Model(segmenter(folder / "model.onnx", LABELS, letterbox), Setting(workers=2))
        found = evaluate(model, open_dataset(folder)).segmentation
    assert found is not None
    return found


def halves(rows: int, columns: int) -> NDArray[np.uint8]:
    """Red on the left, green on the right."""
    classes = np.zeros((rows, columns), np.uint8)
    classes[:, columns // 2 :] = 1
    return classes


def test_overlap_is_counted_over_the_pixels_of_all_pictures(tmp_path: Path) -> None:
    """256 pixels each. In one, 2 of 16 rows are void; in the other, 4 rows of red are labelled green."""
    one, other = halves(SIZE, SIZE), halves(SIZE, SIZE)
    one[:2] = 255
    other[:4, :8] = 1
    write(tmp_path, "one", halves(SIZE, SIZE), one)
    write(tmp_path, "other", halves(SIZE, SIZE), other)
    found = judged(tmp_path)
    red, green = (112 + 96) / (112 + 128), (112 + 128) / (112 + 128 + 32)
    assert {label: row.iou for label, row in found.classes.items()} == pytest.approx(
        {"red": red, "green": green}
    )
    assert found.miou == pytest.approx((red + green) / 2), "blue is nowhere, and not in the mean"
    assert found.pixel_accuracy == pytest.approx((224 + 256 - 32) / (224 + 256))
    assert found.classes["green"].pixels == 112 + 128 + 32


@pytest.mark.parametrize("letterbox", ["stretch", "centre", "top-left"])
def test_the_answer_is_laid_over_the_picture_whatever_the_letterbox(tmp_path: Path, letterbox: Fit) -> None:
    wide = halves(24, 64)
    write(tmp_path, "wide", wide, wide)
    found = judged(tmp_path, letterbox)
    assert (found.miou, found.pixel_accuracy) == (1, 1)
    assert set(found.classes) == {"red", "green"}


def test_classes_are_matched_by_name_and_those_unknown_are_void(tmp_path: Path) -> None:
    shown = halves(SIZE, SIZE)
    labelled = np.where(shown == 0, 2, 0).astype(np.uint8)
    labelled[:4] = 1
    write(tmp_path, "a", shown, labelled)
    (tmp_path / "labels.txt").write_text("green\nviolet\nred\n")
    found = judged(tmp_path)
    assert {label: (row.pixels, row.iou) for label, row in found.classes.items()} == {
        "red": (96, 1),
        "green": (96, 1),
    }


def test_a_real_picture_agrees_with_numpy(tmp_path: Path) -> None:
    """The mask says where which channel of the full picture is brightest; the model sees 16 × 16 pixels."""
    image = cv2.imread(str(photograph(CATS)))
    assert image is not None
    labelled = image[..., ::-1].argmax(axis=2).astype(np.uint8)
    write(tmp_path, "cat", labelled, labelled)
    cv2.imwrite(str(tmp_path / "images/cat.png"), image)
    small = cv2.resize(image, (SIZE, SIZE))[..., ::-1].argmax(axis=2)
    rows = ((np.arange(labelled.shape[0]) + 0.5) * SIZE / labelled.shape[0]).astype(int)
    columns = ((np.arange(labelled.shape[1]) + 0.5) * SIZE / labelled.shape[1]).astype(int)
    answer = small[rows][:, columns]
    found = judged(tmp_path)
    for i, label in enumerate(LABELS):
        union = ((labelled == i) | (answer == i)).sum()
        if union:
            expected = ((labelled == i) & (answer == i)).sum() / union
            assert found.classes[label].iou == pytest.approx(expected, abs=1e-3)
    assert found.pixel_accuracy == pytest.approx((labelled == answer).mean(), abs=1e-3)


def test_what_is_found_where_nothing_is_labelled_so_counts_as_wrong() -> None:
    matrix = confusion(np.array([0, 0, 1, -1]), np.array([0, 2, 1, 2]), 3)
    found = overlap(matrix, LABELS)
    assert {label: row.iou for label, row in found.classes.items()} == {"red": 0.5, "green": 1, "blue": 0}
    assert found.miou == pytest.approx(0.5)


def test_a_palettes_colours_do_not_matter(tmp_path: Path) -> None:
    """As Pascal VOC keeps its masks: the pixels are numbers, and the palette says how they look."""
    ids = np.array([[0, 1, 2, 255]] * 4, np.uint8)
    palette = np.random.default_rng(3).integers(0, 256, (256, 4), np.uint8)
    palette[:, 0] = 255
    frame = av.VideoFrame.from_ndarray((ids, palette), format="pal8")
    with av.open(str(tmp_path / "mask.png"), "w", format="image2") as container:
        stream = container.add_stream("png", rate=1)
        stream.width, stream.height, stream.pix_fmt = 4, 4, "pal8"
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    assert read_mask(tmp_path / "mask.png").tolist() == ids.tolist()


@pytest.mark.parametrize(
    ("mask", "line"),
    [
        (np.full((SIZE, SIZE), 3, np.uint8), "has class 3; expected 0 to 2, or 255 for void"),
        (np.zeros((SIZE, SIZE, 3), np.uint8), "expected class ids in a grey PNG .* found rgb24"),
        (np.zeros((4, SIZE), np.uint8), "is 16×4 pixels, its picture 16×16 as stored"),
        (np.full((SIZE, SIZE), 255, np.uint8), "no pixel of the masks is labelled"),
    ],
)
def test_a_mask_that_does_not_fit_is_one_line(tmp_path: Path, mask: NDArray[np.uint8], line: str) -> None:
    write(tmp_path, "a", halves(SIZE, SIZE), mask)
    with pytest.raises(DataError, match=line):
        judged(tmp_path)


def test_a_broken_mask_is_one_line(tmp_path: Path) -> None:
    write(tmp_path, "a", halves(SIZE, SIZE), halves(SIZE, SIZE))
    (tmp_path / "masks/a.png").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"a\.png: not a PNG that can be read"):
        judged(tmp_path)
