"""edge-engine eval: the bundled model on labelled pictures of the street clip, against pycocotools."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest import mock

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from edge_engine.errors import UsageError
from edge_engine.evaluation.precision import import_library
from edge_engine.letterbox import Letterbox
from edge_engine.models.model import Model
from edge_engine.zoo import find_model
from tests.cli.program import assert_one_clear_line, run_program
from tests.clip import SIZE
from tests.evaluation import street

FIELDS = ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large")
FIELDS += ("ar1", "ar10", "ar", "ar_small", "ar_medium", "ar_large")


def evaluated(*arguments: str) -> dict[str, Any]:
    done = run_program("eval", "nanodet-g", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    report: dict[str, Any] = json.loads(line)
    return report


def by_hand(file: Path) -> list[float]:
    """The twelve numbers of pycocotools, of what the model finds one picture after the other."""
    model = Model(find_model("nanodet-g"))
    spec = model.spec.input
    box = Letterbox.fit(SIZE, (spec.width, spec.height), spec.letterbox)
    truth = COCO(str(file))
    ids = {category["name"]: category["id"] for category in truth.dataset["categories"]}
    results = []
    for image in truth.dataset["images"]:
        tensor, outputs = model.new_input(), model.new_outputs()
        picture = cv2.imread(str(file.parents[1] / "val" / image["file_name"]))
        assert picture is not None
        place = tensor[0, box.top : box.top + box.height, box.left : box.left + box.width]
        place[:] = cv2.resize(picture, (box.width, box.height))
        model.run(model.bind(tensor, outputs))
        found = model.decoder(outputs, 0.001, model.spec.iou_threshold).to_source(box)
        for xyxy, score, class_id in zip(found.boxes_xyxy, found.scores, found.class_ids, strict=True):
            label = model.spec.labels[class_id]
            if label in ids:
                left, top, right, bottom = (float(value) for value in xyxy)
                row = {"image_id": image["id"], "category_id": ids[label], "score": float(score)}
                results.append(row | {"bbox": [left, top, right - left, bottom - top]})
    evaluator = COCOeval(truth, truth.loadRes(results), "bbox")
    # The data's label that the model lacks: what can't be found is no fault of the model.
    evaluator.params.catIds = [i for name, i in ids.items() if name != street.LEFT_OUT]
    evaluator.evaluate()
    evaluator.accumulate()
    evaluator.summarize()
    return [float(value) for value in evaluator.stats]


def test_the_bundled_model_has_the_numbers_that_pycocotools_gives(tmp_path: Path) -> None:
    file = street.write_coco(tmp_path)
    report = evaluated(str(file))
    boxes = report["boxes"]
    for field, expected in zip(FIELDS, by_hand(file), strict=True):
        assert (-1 if boxes[field] is None else boxes[field]) == pytest.approx(expected, abs=5e-4), field
    assert 0.2 < boxes["ap50"] < 1, "the model sees what is in the street, though not all of it"
    assert boxes["classes"]["person"]["labelled"] == 4
    assert boxes["classes"]["car"]["labelled"] == 8, "the crowd is none of them"
    assert report["left_out"] == ["bollard"]
    assert (report["pictures"], report["of_pictures"], report["kind"]) == (5, 5, "COCO")
    assert report["subject"]["model"] == Model(find_model("nanodet-g")).spec.name
    assert not {"masks", "keypoints", "classification", "segmentation"} & set(report)


def test_yolo_labels_give_nearly_the_same(tmp_path: Path) -> None:
    """A box's whole area counts, and there is no crowd."""
    by_coco = evaluated(str(street.write_coco(tmp_path / "coco")))["boxes"]
    by_yolo = evaluated(str(street.write_yolo(tmp_path / "yolo")))["boxes"]
    assert by_yolo["ap"] == pytest.approx(by_coco["ap"], abs=0.05)
    assert set(by_yolo["classes"]) == set(by_coco["classes"])


def test_people_read_a_table_and_what_was_left_out(tmp_path: Path) -> None:
    file = street.write_coco(tmp_path)
    done = run_program("eval", "nanodet-g", str(file), "--limit", "3", "--images", str(tmp_path / "val"))
    assert done.returncode == 0, done.stderr
    assert "3 of 5 pictures" in done.stdout
    assert "left out, the model has no such labels: bollard" in done.stdout
    assert "box AP50" in done.stdout
    assert [line for line in done.stdout.splitlines() if line.startswith("person  ")]
    assert "\x1b" not in done.stdout, "no colour when the output is no terminal"


def missing_pictures(folder: Path) -> Path:
    file = street.write_coco(folder)
    (folder / "val/30.jpg").unlink()
    return file


def broken_json(folder: Path) -> Path:
    (folder / "labels.json").write_text("{")
    return folder / "labels.json"


def other_labels(folder: Path) -> Path:
    file = street.write_coco(folder)
    words = {name: f"{name} of clay" for name in street.CATEGORIES.values()}
    text = file.read_text()
    for name, other in words.items():
        text = text.replace(f'"{name}"', f'"{other}"')
    file.write_text(text)
    return file


def photographs(folder: Path) -> Path:
    (folder / "cat").mkdir()
    cv2.imwrite(str(folder / "cat/1.png"), np.zeros((20, 20, 3), np.uint8))
    return folder


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (missing_pictures, ("1 of its 5 pictures are missing", "30.jpg", "--images")),
        (broken_json, ("not a COCO annotation file",)),
        (other_labels, ("none of its labels", "person of clay")),
        (photographs, ("labels for classification, but model nanodet-g", "does detection")),
        (lambda folder: folder / "nowhere", ("no such file or folder",)),
    ],
)
def test_data_that_does_not_fit_is_one_line(tmp_path: Path, make: Any, words: tuple[str, ...]) -> None:  # noqa: ANN401
    assert_one_clear_line(run_program("eval", "nanodet-g", str(make(tmp_path))), 2, *words)


def test_without_the_library_one_line_says_what_to_install() -> None:
    with (
        mock.patch.dict("sys.modules", {"faster_coco_eval": None}),
        pytest.raises(UsageError, match=r"pip install 'edge-engine\[eval\]'"),
    ):
        import_library()
