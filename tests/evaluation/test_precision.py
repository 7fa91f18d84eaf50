"""Average precision: by hand, and against pycocotools on the same file, for boxes, masks and keypoints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pycocotools.mask
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from edge_engine.errors import DataError
from edge_engine.evaluation.coco import open_coco
from edge_engine.evaluation.datasets import Dataset, Labelled, Picture
from edge_engine.evaluation.detection import DetectionJudge
from edge_engine.evaluation.evaluate import Judge
from edge_engine.evaluation.labels import match
from edge_engine.evaluation.pose import PoseJudge, sigmas_for
from edge_engine.evaluation.report import AveragePrecision
from edge_engine.models.spec import InputSpec, ModelSpec, Task
from edge_engine.result import Objects

SIZE = (160, 120)
LABELS = ("car", "person", "dog")
# Ids that neither begin at 0 nor follow each other, in another order than the model's labels.
CATEGORIES = {7: "person", 3: "dog", 11: "car"}
FIELDS = ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large")
BOX_FIELDS = (*FIELDS, "ar1", "ar10", "ar", "ar_small", "ar_medium", "ar_large")
POINT_FIELDS = ("ap", "ap50", "ap75", "ap_medium", "ap_large", "ar", "ar50", "ar75", "ar_medium", "ar_large")


def spec_for(task: Task, labels: tuple[str, ...] = LABELS) -> ModelSpec:
    picture = InputSpec(64, 64, "NHWC", "uint8", "RGB", "stretch")
    return ModelSpec("made", task, "yolov8", picture, labels, 0.25, 0.7)


def objects_of(rows: list[tuple[int, float, tuple[float, ...]]]) -> Objects:
    """Of class id, score, box."""
    boxes = np.array([row[2] for row in rows], np.float32).reshape(-1, 4)
    scores, class_ids = np.array([r[1] for r in rows], np.float32), np.array([r[0] for r in rows], np.int32)
    return Objects(boxes, scores, class_ids)


def test_average_precision_is_what_a_hand_computes() -> None:
    """Two cars, and three finds: right, wrong, right. Precision is 1 up to a recall of 1/2 and 2/3 beyond:
    51 of the 101 points of recall have 1, 50 have 2/3. The boxes fit at every overlap that is asked for."""
    car = Labelled(0, (10, 10, 40, 40), 1600)
    pictures = [Picture(Path("a.png"), (car,), SIZE), Picture(Path("b.png"), (car,), SIZE)]
    dataset = Dataset(Path("made"), "made", frozenset({"detection"}), ("car",), pictures)
    spec = spec_for("detection")
    judge = DetectionJudge(dataset, match(dataset, spec), spec)
    right, wrong = (10.0, 10.0, 50.0, 50.0), (100.0, 60.0, 150.0, 100.0)
    judge.add(judge.look(pictures[0], SIZE, objects_of([(0, 0.9, right), (0, 0.8, wrong), (1, 0.95, right)])))
    judge.add(judge.look(pictures[1], SIZE, objects_of([(0, 0.7, right)])))
    found = judge.judge()["boxes"]
    expected = (51 * 1 + 50 * 2 / 3) / 101
    assert (found.ap, found.ap50, found.ap75) == pytest.approx((expected,) * 3)
    assert found.ap_medium == pytest.approx(expected)
    assert (found.ap_small, found.ap_large) == (None, None), "no such object is labelled"
    assert (found.ar, found.ar1) == pytest.approx((1, 1))
    assert list(found.classes) == ["car"]
    assert found.classes["car"].labelled == 2


class Made:
    """A COCO file of chance objects, and a model that finds most of them, more or less where they are."""

    def __init__(self, folder: Path, seed: int, keypoints: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.keypoints = keypoints
        self.answers: dict[int, Objects] = {}
        images, self.annotations = [], []
        for image in (5, 3, 12, 8, 40, 21):
            images.append({"id": image, "file_name": f"{image}.png", "width": SIZE[0], "height": SIZE[1]})
            (folder / f"{image}.png").touch()
            self.answers[image] = self._picture(image)
        categories = [{"id": i, "name": name} for i, name in CATEGORIES.items()]
        file = {"images": images, "annotations": self.annotations, "categories": categories}
        self.path = folder / "labels.json"
        self.path.write_text(json.dumps(file))

    def _picture(self, image: int) -> Objects:
        found = []
        for _ in range(self.rng.integers(0, 9)):
            box = self._box()
            category = int(self.rng.choice(list(CATEGORIES)))
            points = self._points(box)
            self._label(image, category, box, points)
            for _ in range(self.rng.integers(0, 3)):
                moved = box + self.rng.normal(0, 3, 4)
                if (moved[2:] > moved[:2] + 2).all():
                    # Scores in steps, so that many are equal, whose order then counts.
                    score = self.rng.integers(1, 20) / 20
                    shifted = points + np.pad(self.rng.normal(0, 2, (len(points), 2)), ((0, 0), (0, 1)))
                    found.append((LABELS.index(CATEGORIES[category]), score, moved, shifted))
        found.sort(key=lambda row: -row[1])
        objects = objects_of([(row[0], float(row[1]), tuple(row[2])) for row in found])
        if self.keypoints:
            objects.keypoints = np.array([r[3] for r in found], np.float32).reshape(-1, self.keypoints, 3)
        else:
            objects.masks = np.array([ellipse(row[2]) for row in found], np.uint8).reshape(-1, *SIZE[::-1])
        return objects

    def _box(self) -> NDArray[np.float64]:
        x, y = self.rng.uniform(0, 100), self.rng.uniform(0, 70)
        return np.array([x, y, x + self.rng.uniform(12, 60), y + self.rng.uniform(12, 50)])

    def _points(self, box: NDArray[np.float64]) -> NDArray[np.float64]:
        xy = self.rng.uniform(box[:2], box[2:], (self.keypoints, 2))
        return np.column_stack([xy, self.rng.integers(0, 3, self.keypoints)])

    def _label(
        self, image: int, category: int, box: NDArray[np.float64], points: NDArray[np.float64]
    ) -> None:
        width, height = (box[2:] - box[:2]).tolist()
        annotation: dict[str, Any] = {
            "id": len(self.annotations) + 1,
            "image_id": image,
            "category_id": category,
            "bbox": [*box[:2].tolist(), width, height],
            "area": 0.7 * width * height,
            "iscrowd": int(self.rng.random() < 0.15),
        }
        if self.keypoints:
            annotation["keypoints"] = points.ravel().tolist()
            annotation["num_keypoints"] = int((points[:, 2] > 0).sum())
        else:
            annotation["segmentation"] = self._outline(box, is_polygon=self.rng.random() < 0.5)
        self.annotations.append(annotation)

    def _outline(self, box: NDArray[np.float64], *, is_polygon: bool) -> Any:  # noqa: ANN401
        if is_polygon:
            left, top, right, bottom = box.tolist()
            return [[left, top, right, top, right, bottom - 4, left, bottom]]
        rle = pycocotools.mask.encode(np.asfortranarray(ellipse(box)))
        return {"size": rle["size"], "counts": rle["counts"].decode()}

    def judged_by(self, task: Task, judge_of: type[DetectionJudge | PoseJudge]) -> dict[str, Any]:
        dataset, spec = open_coco(self.path), spec_for(task)
        judge: Judge = judge_of(dataset, match(dataset, spec), spec)
        for picture in dataset.pictures:
            judge.add(judge.look(picture, SIZE, self.answers[int(picture.path.stem)]))
        return judge.judge()

    def by_pycocotools(self, kind: str) -> list[float]:
        truth = COCO(str(self.path))
        found = truth.loadRes(self._results(kind))
        evaluator = COCOeval(truth, found, kind)
        if kind == "keypoints":
            evaluator.params.kpt_oks_sigmas = sigmas_for(self.keypoints)
        evaluator.evaluate()
        evaluator.accumulate()
        evaluator.summarize()
        return [float(value) for value in evaluator.stats]

    def _results(self, kind: str) -> list[dict[str, Any]]:
        ids = {name: i for i, name in CATEGORIES.items()}
        results = []
        for image, objects in self.answers.items():
            for i in range(len(objects)):
                left, top, right, bottom = objects.boxes_xyxy[i].tolist()
                row = {"image_id": image, "score": float(objects.scores[i])}
                row["category_id"] = ids[LABELS[objects.class_ids[i]]]
                if kind == "bbox":
                    row["bbox"] = [left, top, right - left, bottom - top]
                elif kind == "segm":
                    row["segmentation"] = pycocotools.mask.encode(np.asfortranarray(objects.masks[i]))
                else:
                    row["keypoints"] = objects.keypoints[i].ravel().tolist()
                results.append(row)
        return results


def ellipse(box: NDArray[np.float64]) -> NDArray[np.uint8]:
    """What fills a box, in a picture's pixels: uint8 [height, width]."""
    centre, radius = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2
    y, x = np.mgrid[: SIZE[1], : SIZE[0]] + 0.5
    return (((x - centre[0]) / radius[0]) ** 2 + ((y - centre[1]) / radius[1]) ** 2 <= 1).astype(np.uint8)


def assert_same(found: AveragePrecision, stats: list[float], fields: tuple[str, ...]) -> None:
    for field, expected in zip(fields, stats, strict=True):
        value = getattr(found, field)
        assert (-1 if value is None else value) == pytest.approx(expected, abs=1e-9), field


@pytest.mark.parametrize("at_once", [100_000, 1], ids=["all classes at once", "one by one"])
@pytest.mark.parametrize("seed", range(5))
def test_boxes_and_masks_are_judged_as_by_pycocotools(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, at_once: int
) -> None:
    monkeypatch.setattr("edge_engine.evaluation.precision._AT_ONCE", at_once)
    made = Made(tmp_path, seed)
    found = made.judged_by("instance-segmentation", DetectionJudge)
    assert_same(found["boxes"], made.by_pycocotools("bbox"), BOX_FIELDS)
    assert_same(found["masks"], made.by_pycocotools("segm"), BOX_FIELDS)
    assert 0.2 < found["masks"].ap < 0.98, "chance must make it neither right nor wrong altogether"


@pytest.mark.parametrize("keypoints", [17, 5])
@pytest.mark.parametrize("seed", range(3))
def test_keypoints_are_judged_as_by_pycocotools(tmp_path: Path, seed: int, keypoints: int) -> None:
    made = Made(tmp_path, seed, keypoints)
    found = made.judged_by("pose", PoseJudge)["keypoints"]
    assert_same(found, made.by_pycocotools("keypoints"), POINT_FIELDS)
    assert found.ap_small is None


def test_keypoints_are_matched_by_their_names() -> None:
    points = (1.0, 2.0, 2.0, 30.0, 40.0, 2.0)
    labelled = Labelled(0, (0, 0, 50, 50), 2500, keypoints=points)
    picture = Picture(Path("a.png"), (labelled,), SIZE)
    dataset = Dataset(
        Path("made"), "made", frozenset({"pose"}), ("person",), [picture], ("left_eye", "right_eye")
    )
    spec = replace(spec_for("pose"), keypoint_names=("nose", "right eye", "left eye"))
    answer = objects_of([(1, 0.9, (0, 0, 50, 50))])
    answer.keypoints = np.array([[[9, 9, 1], [30, 40, 1], [1, 2, 1]]], np.float32)
    judge = PoseJudge(dataset, match(dataset, spec), spec)
    judge.add(judge.look(picture, SIZE, answer))
    assert judge.judge()["keypoints"].ap == pytest.approx(1)


def test_keypoints_of_another_number_are_refused() -> None:
    labelled = Labelled(0, (0, 0, 50, 50), 2500, keypoints=(1.0, 2.0, 2.0))
    picture = Picture(Path("a.png"), (labelled,), SIZE)
    dataset = Dataset(Path("made"), "made", frozenset({"pose"}), ("person",), [picture])
    spec = spec_for("pose")
    with pytest.raises(DataError, match="have 1 keypoints without names, model made has 2"):
        PoseJudge(dataset, match(dataset, spec), replace(spec, keypoint_names=("nose", "tail")))
    answer = objects_of([(1, 0.9, (0, 0, 50, 50))])
    answer.keypoints = np.zeros((1, 2, 3), np.float32)
    with pytest.raises(DataError, match="the model found 2 keypoints, expected 1"):
        PoseJudge(dataset, match(dataset, spec), spec).look(picture, SIZE, answer)


def test_a_coarse_mask_is_judged_in_the_pictures_pixels() -> None:
    """A grid of 8 × 6 cells over 160 × 120 pixels: a cell is 20 pixels wide."""
    square = [[40.0, 40.0, 100.0, 40.0, 100.0, 100.0, 40.0, 100.0]]
    labelled = Labelled(0, (40, 40, 60, 60), 3600, outline=square)
    picture = Picture(Path("a.png"), (labelled,), SIZE)
    tasks: frozenset[Task] = frozenset({"instance-segmentation"})
    dataset = Dataset(Path("made"), "made", tasks, ("car",), [picture])
    spec = spec_for("instance-segmentation")
    answer = objects_of([(0, 0.9, (40, 40, 100, 100))])
    answer.masks = np.zeros((1, 6, 8), np.uint8)
    answer.masks[0, 2:5, 2:5] = 1
    judge = DetectionJudge(dataset, match(dataset, spec), spec)
    judge.add(judge.look(picture, SIZE, answer))
    found = judge.judge()["masks"]
    assert found.ap50 == pytest.approx(1)
    assert found.ap is not None
    assert found.ap >= 0.9, "only the corners are round"


def test_a_model_that_finds_nothing_has_zero() -> None:
    picture = Picture(Path("a.png"), (Labelled(0, (0, 0, 50, 50), 2500),), SIZE)
    dataset = Dataset(Path("made"), "made", frozenset({"detection"}), ("car",), [picture])
    spec = spec_for("detection")
    judge = DetectionJudge(dataset, match(dataset, spec), spec)
    judge.add(judge.look(picture, SIZE, Objects.none()))
    assert (judge.judge()["boxes"].ap, judge.judge()["boxes"].ar) == (0, 0)


def test_nothing_labelled_is_one_clear_line() -> None:
    picture = Picture(Path("a.png"), (), SIZE)
    dataset = Dataset(Path("made"), "made", frozenset({"detection"}), ("car",), [picture])
    spec = spec_for("detection")
    judge = DetectionJudge(dataset, match(dataset, spec), spec)
    judge.add(judge.look(picture, SIZE, Objects.none()))
    with pytest.raises(DataError, match="no object in the pictures is labelled"):
        judge.judge()
