"""Classification on real photographs, with a model that goes by their mean colour."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_engine.errors import DataError
from edge_engine.evaluation.classification import ClassificationJudge
from edge_engine.evaluation.datasets import Dataset, Picture, open_dataset
from edge_engine.evaluation.evaluate import evaluate
from edge_engine.evaluation.labels import match
from edge_engine.evaluation.report import Accuracy
from edge_engine.models.model import Model
from edge_engine.models.providers import Setting
from edge_engine.models.spec import InputSpec, ModelSpec, Task
from edge_engine.result import Tags
from tests.evaluation.made_families import classifier, known_families

PHOTOGRAPHS = ("astronaut.png", "chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg")
CATS = "chelsea.png"
_INPUT = InputSpec(8, 8, "NHWC", "uint8", "RGB", "stretch")


def photograph(name: str) -> Path:
    spec = find_spec("skimage")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0]) / "data" / name


def colour_of(name: str) -> tuple[float, float, float]:
    image = cv2.imread(str(photograph(name)))
    assert image is not None
    blue, green, red = image.reshape(-1, 3).mean(axis=0).tolist()
    return red, green, blue


COLOURS = {
    "astronaut, spaceman": colour_of("astronaut.png"),
    "cat": colour_of("chelsea.png"),
    "coffee": colour_of("coffee.png"),
    "motorcycle": colour_of("motorcycle_left.png"),
    "rocket": colour_of("rocket.jpg"),
    "nothing": (0.0, 255.0, 0.0),
}


def folders(path: Path, **shown: list[str]) -> Path:
    """Photographs by the class that their folder says they show."""
    for label, names in shown.items():
        (path / label).mkdir()
        for i, name in enumerate(names):
            file = photograph(name)
            (path / label / f"{i}{file.suffix}").write_bytes(file.read_bytes())
    return path


def accuracy(data: Path, model: Path, limit: int | None = None) -> Accuracy:
    with known_families():
        return evaluate(Model(model, Setting(workers=2)), open_dataset(data), limit)


def test_a_photograph_is_right_when_its_class_is_named_first(tmp_path: Path) -> None:
    """Coffee among the cats is wrong, and the cat among the rockets."""
    data = folders(
        tmp_path,
        astronaut=["astronaut.png"],
        cat=["chelsea.png", "coffee.png"],
        coffee=["coffee.png"],
        rocket=["rocket.jpg", "rocket.jpg", "rocket.jpg", "chelsea.png"],
    )
    report = accuracy(data, classifier(tmp_path / "model.onnx", COLOURS))
    found = report.classification
    assert found is not None
    assert found.top1 == pytest.approx(6 / 8)
    assert {label: (row.pictures, row.top1) for label, row in found.classes.items()} == {
        "astronaut, spaceman": (1, 1.0),
        "cat": (2, 0.5),
        "coffee": (1, 1.0),
        "rocket": (4, 0.75),
    }
    assert (report.pictures, report.boxes, report.segmentation) == (8, None, None)
    assert report.notes == ("2 of the model's labels are not in the data, and not judged",)


def test_the_fifth_name_counts_for_top_5_and_the_sixth_does_not(tmp_path: Path) -> None:
    """Every label's distance from the cat's colour is known, so that each place is."""
    distance = {k: np.abs(np.subtract(c, COLOURS["cat"])).sum() for k, c in COLOURS.items()}
    places = sorted(distance, key=lambda label: distance[label])
    fifth, sixth = places[4].partition(",")[0], places[5].partition(",")[0]
    data = folders(tmp_path, **{fifth: [CATS], sixth: [CATS, CATS, CATS]})
    found = accuracy(data, classifier(tmp_path / "model.onnx", COLOURS)).classification
    assert found is not None
    assert (found.top1, found.top5) == (0, 0.25)
    assert found.classes[places[4]].top5 == 1
    assert found.classes[places[5]].top5 == 0


def test_top_5_is_not_claimed_for_a_model_that_names_fewer(tmp_path: Path) -> None:
    found = accuracy(
        folders(tmp_path, cat=[CATS]), classifier(tmp_path / "m.onnx", COLOURS, most=3)
    ).classification
    assert found is not None
    assert (found.top1, found.top5) == (1, None)


def test_a_class_of_score_0_is_not_among_the_first_five(tmp_path: Path) -> None:
    """Which a quantized model has in plenty, and leaves unnamed when it is sure of its thing."""
    labels = tuple(COLOURS)
    picture = Picture(tmp_path / "a.png", class_id=5)
    tasks: frozenset[Task] = frozenset({"classification"})
    dataset = Dataset(tmp_path, "made", tasks, labels, [picture])
    spec = ModelSpec("made", "classification", "made", _INPUT, labels, 0.25, 0.7)
    judge = ClassificationJudge(dataset, match(dataset, spec), spec)
    for named in ([0, 1, 2, 3, 5], [0], [5]):
        scores = np.linspace(0.9, 0.1, len(named)).astype(np.float32)
        judge.add(judge.look(picture, (8, 8), Tags(np.array(named, np.int32), scores)))
    found = judge.judge()["classification"]
    assert (found.top1, found.top5) == (pytest.approx(1 / 3), pytest.approx(2 / 3))


def test_classes_that_the_model_lacks_are_left_out_and_told(tmp_path: Path) -> None:
    data = folders(tmp_path, cat=[CATS, CATS], unicorn=[CATS])
    report = accuracy(data, classifier(tmp_path / "model.onnx", COLOURS))
    assert report.left_out == ("unicorn",)
    assert (report.pictures, report.of_pictures) == (2, 3)


def test_a_broken_picture_is_one_line_that_names_it(tmp_path: Path) -> None:
    data = folders(tmp_path, cat=[CATS, CATS])
    (data / "cat/1.png").write_bytes(b"\x89PNG broken")
    model = classifier(tmp_path / "model.onnx", COLOURS)
    with pytest.raises(DataError, match=r"cat/1\.png: not a picture that can be decoded"):
        accuracy(data, model)


def test_a_model_of_another_task_is_refused(tmp_path: Path) -> None:
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "a.png").write_bytes(photograph(CATS).read_bytes())
    with pytest.raises(
        DataError, match="masks with labels for segmentation, but model colours does classification"
    ):
        accuracy(tmp_path, classifier(tmp_path / "model.onnx", COLOURS))
