"""Tagging: average precision and F1 as scikit-learn has them; tags from COCO files and .csv files."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score

from edge_engine.errors import DataError
from edge_engine.evaluation.datasets import Dataset, Picture, open_dataset
from edge_engine.evaluation.evaluate import evaluate
from edge_engine.evaluation.labels import match
from edge_engine.evaluation.report import TagScores
from edge_engine.evaluation.tagging import TaggingJudge
from edge_engine.models.model import Model
from edge_engine.models.spec import InputSpec, ModelSpec
from edge_engine.result import Tags
from tests.cli.program import run_program
from tests.models.whole_picture import whole_picture_model

LABELS = ("sea", "sand", "street", "snow")


def spec_of(**thresholds: float) -> ModelSpec:
    picture = InputSpec(8, 8, "NHWC", "uint8", "RGB", "stretch")
    return ModelSpec("m", "tagging", "tagger", picture, LABELS, 0.5, 0.5, label_thresholds=thresholds)


def judged(spec: ModelSpec, labelled: np.ndarray, scores: np.ndarray) -> TagScores:
    """By `labelled` bool and `scores` float32, both [pictures, labels]."""
    pictures = [Picture(Path(f"{i}.jpg"), tags=tuple(np.flatnonzero(row))) for i, row in enumerate(labelled)]
    dataset = Dataset(Path("x.csv"), "tags", frozenset({"tagging"}), LABELS, pictures)
    judge = TaggingJudge(dataset, match(dataset, spec), spec)
    for picture, row in zip(pictures, scores, strict=True):
        order = np.argsort(-row)
        tags = Tags(order.astype(np.int32)[row[order] > 0], row[order][row[order] > 0])
        judge.add(judge.look(picture, (8, 8), tags))
    return judge.judge()["tagging"]


@settings(deadline=None, max_examples=60)
@given(n=st.integers(2, 60), steps=st.sampled_from([4, 1000]), seed=st.integers(0, 2**32 - 1))
def test_the_numbers_are_scikit_learns(n: int, steps: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    labelled = rng.random((n, 4)) < 0.4
    labelled[0] = True  # scikit-learn warns of labels without any picture
    scores = (rng.integers(0, steps + 1, (n, 4)) / steps).astype(np.float32)
    found = judged(spec_of(sand=0.25), labelled, scores)
    is_found = scores >= np.array([0.5, 0.25, 0.5, 0.5], np.float32)
    for i, label in enumerate(LABELS):
        row = found.labels[label]
        assert row.ap == pytest.approx(average_precision_score(labelled[:, i], scores[:, i]))
        assert row.f1 == pytest.approx(f1_score(labelled[:, i], is_found[:, i]))
        assert (row.labelled, row.threshold) == (labelled[:, i].sum(), 0.25 if label == "sand" else 0.5)
    assert found.map == pytest.approx(average_precision_score(labelled, scores, average="macro"))
    assert found.micro_f1 == pytest.approx(f1_score(labelled, is_found, average="micro"))
    assert found.macro_f1 == pytest.approx(f1_score(labelled, is_found, average="macro"))


def test_a_label_that_no_picture_has_counts_against_a_model_that_finds_it() -> None:
    labelled = np.array([[1, 0, 0, 0], [1, 0, 0, 0]], bool)
    found = judged(spec_of(), labelled, np.array([[0.9, 0, 0, 0.8], [0.9, 0, 0, 0]], np.float32))
    assert set(found.labels) == {"sea", "snow"}
    assert (found.labels["snow"].ap, found.labels["snow"].f1) == (None, 0.0)
    assert (found.map, found.macro_f1, found.micro_f1) == (1.0, 0.5, pytest.approx(4 / 5))


def test_pictures_without_any_label_are_one_line() -> None:
    with pytest.raises(DataError, match="no picture is labelled"):
        judged(spec_of(), np.zeros((2, 4), bool), np.zeros((2, 4), np.float32))


def write_pictures(folder: Path, n: int = 4) -> None:
    for i in range(n):
        image = np.random.default_rng(i).integers(0, 256, (20, 30, 3), np.uint8)
        cv2.imwrite(str(folder / f"{i}.png"), image)


def test_a_csv_names_pictures_and_their_labels(tmp_path: Path) -> None:
    write_pictures(tmp_path)
    (tmp_path / "tags.csv").write_text("0.png,sea, sand\n1.png,sea\n2.png\n3.png,street,\n")
    data = open_dataset(tmp_path / "tags.csv")
    assert (data.labels, data.tasks) == (("sand", "sea", "street"), {"tagging"})
    assert [picture.tags for picture in data.pictures] == [(0, 1), (1,), (), (2,)]
    (tmp_path / "labels.txt").write_text("snow\nsea\nsand\nstreet\n")
    assert open_dataset(tmp_path / "tags.csv").pictures[0].tags == (1, 2)
    (tmp_path / "labels.txt").write_text("snow\nsea\n")
    with pytest.raises(DataError, match=r"tags\.csv: 0\.png: 'sand' isn't among the labels"):
        open_dataset(tmp_path / "tags.csv")
    (tmp_path / "labels.txt").unlink()
    (tmp_path / "tags.csv").write_text("9.png,sea\n")
    with pytest.raises(DataError, match=r"1 of 1 pictures are missing, the first: .*9\.png"):
        open_dataset(tmp_path / "tags.csv")


@pytest.mark.parametrize("has_boxes", [True, False])
def test_a_coco_files_categories_are_its_pictures_tags(tmp_path: Path, has_boxes: bool) -> None:
    write_pictures(tmp_path, 2)
    box = {"bbox": [0, 0, 5, 5]} if has_boxes else {}
    file = {
        "images": [{"id": i, "file_name": f"{i}.png"} for i in range(2)],
        "categories": [{"id": 7, "name": "sea"}, {"id": 9, "name": "sand"}],
        "annotations": [{"image_id": 0, "category_id": number, **box} for number in (9, 7, 9)],
    }
    (tmp_path / "tags.json").write_text(json.dumps(file))
    data = open_dataset(tmp_path / "tags.json")
    assert [picture.tags for picture in data.pictures] == [(0, 1), ()]
    assert "tagging" in data.tasks
    assert ("detection" in data.tasks) == has_boxes


def test_eval_judges_a_tagger_at_the_thresholds_that_are_said(tmp_path: Path) -> None:
    write_pictures(tmp_path)
    (tmp_path / "tags.csv").write_text("0.png,sea,sand\n1.png,sea\n2.png,snow\n3.png,street\n")
    path = whole_picture_model(tmp_path / "m.onnx", "sigmoid", 4)
    (tmp_path / "m.yaml").write_text(f"labels: [{', '.join(LABELS)}]\n")
    found = evaluate(Model(path), open_dataset(tmp_path / "tags.csv")).tagging
    assert found is not None
    assert {label: row.threshold for label, row in found.labels.items()} == dict.fromkeys(LABELS, 0.5)
    said = ("--threshold", "0.2,sea=0", "--classes", "sea,sand")
    done = run_program("eval", str(path), str(tmp_path / "tags.csv"), *said, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)["tagging"]
    assert set(report["labels"]) == {"sea", "sand"}
    assert report["labels"]["sea"] == {
        "labelled": 2,
        "threshold": 0.0,
        "ap": pytest.approx(found.labels["sea"].ap),
        "f1": pytest.approx(2 * 2 / (2 + 4)),
    }
    assert report["labels"]["sand"]["threshold"] == pytest.approx(0.2)
    shown = run_program("eval", str(path), str(tmp_path / "tags.csv")).stdout
    assert "mAP" in shown
    assert "macro F1" in shown
