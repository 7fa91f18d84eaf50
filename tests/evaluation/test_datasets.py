"""Labelled pictures as they come: COCO's, YOLO's, folders; and what is wrong with them, in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge_engine.errors import DataError
from edge_engine.evaluation.datasets import Dataset, Labelled, Picture, open_dataset, spread
from edge_engine.evaluation.labels import match
from edge_engine.models.spec import InputSpec, ModelSpec
from tests.clip import SIZE
from tests.evaluation import street


def model_with(*labels: str) -> ModelSpec:
    picture = InputSpec(64, 64, "NHWC", "uint8", "RGB", "stretch")
    return ModelSpec("made", "detection", "yolov8", picture, labels, 0.25, 0.7)


def picture_at(path: Path, size: tuple[int, int] = (40, 20)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.zeros((size[1], size[0], 3), np.uint8))
    return path


def yolo(folder: Path, line: str, yaml: str = "names: [cat, dog]\nval: images\n") -> Path:
    """One picture of 40 × 20 pixels with one label file."""
    picture_at(folder / "images/a.png")
    (folder / "labels").mkdir()
    (folder / "labels/a.txt").write_text(line + "\n")
    (folder / "data.yaml").write_text(yaml)
    return folder / "data.yaml"


def coco(folder: Path, **changes: Any) -> Path:  # noqa: ANN401
    """One picture with one annotation, each key as told."""
    picture_at(folder / "a.png")
    annotation = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}
    annotation |= changes.pop("annotation", {})
    file = {
        "images": [{"id": 1, "file_name": "a.png"}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [annotation],
    }
    path = folder / "labels.json"
    path.write_text(json.dumps(file | changes))
    return path


def only_object(dataset: Dataset) -> Labelled:
    (picture,) = dataset.pictures
    (labelled,) = picture.objects_in((40, 20))
    return labelled


def test_coco_is_read_in_the_order_of_its_ids(tmp_path: Path) -> None:
    dataset = open_dataset(street.write_coco(tmp_path))
    assert [picture.path.stem for picture in dataset.pictures] == ["30", "105", "135", "165", "195"]
    assert dataset.labels == ("person", "bicycle", "car", "motorcycle", "bollard")
    assert dataset.tasks == {"detection", "tagging"}
    crowds = [o for picture in dataset.pictures for o in picture.objects if o.is_crowd]
    assert [crowd.box_xywh for crowd in crowds] == [(0, 100, 52, 30)]


@pytest.mark.parametrize("place", [".", "images", "val", "../val", "..", "../images", "../images/val"])
def test_a_coco_files_pictures_are_found_where_people_keep_them(tmp_path: Path, place: str) -> None:
    path = coco(tmp_path / "data" / "annotations").rename(tmp_path / "data/annotations/instances_val.json")
    (path.parent / place).mkdir(parents=True, exist_ok=True)
    (path.parent / "a.png").rename(path.parent / place / "a.png")
    (picture,) = open_dataset(path).pictures
    assert picture.path.is_file()


def test_yolo_says_the_same_as_coco(tmp_path: Path) -> None:
    files = street.write_coco(tmp_path / "coco"), street.write_yolo(tmp_path / "yolo")
    by_coco, by_yolo = (open_dataset(file) for file in files)
    assert by_coco.labels == by_yolo.labels
    for one, other in zip(by_coco.pictures, by_yolo.pictures, strict=True):
        expected = [(o.class_id, o.box_xywh) for o in one.objects_in(SIZE) if not o.is_crowd]
        found = [(o.class_id, pytest.approx(o.box_xywh, abs=1e-4)) for o in other.objects_in(SIZE)]
        assert expected == found


def test_a_yolo_folder_is_found_by_its_data_yaml(tmp_path: Path) -> None:
    street.write_yolo(tmp_path / "street")
    assert len(open_dataset(tmp_path / "street").pictures) == len(street.OBJECTS)


def test_a_yolo_polygon_is_an_outline_with_its_box_and_area(tmp_path: Path) -> None:
    dataset = open_dataset(yolo(tmp_path, "1 0.25 0.5 0.75 0.5 0.75 1 0.25 1"))
    labelled = only_object(dataset)
    assert dataset.tasks == {"detection", "instance-segmentation"}
    assert (labelled.class_id, labelled.box_xywh, labelled.area) == (1, (10, 10, 20, 10), 200)
    assert labelled.outline == [[10, 10, 30, 10, 30, 20, 10, 20]]


@pytest.mark.parametrize(
    ("shape", "points", "expected"),
    [
        ("[2, 3]", "0.5 0.5 2 0 0 0", (20, 10, 2, 0, 0, 0)),
        ("[2, 2]", "0.5 0.5 0 0", (20, 10, 2, 0, 0, 0)),
    ],
    ids=["with visibility", "without: (0, 0) isn't labelled"],
)
def test_yolo_keypoints_follow_the_box(
    tmp_path: Path, shape: str, points: str, expected: tuple[float, ...]
) -> None:
    yaml = f"names: [cat, dog]\nval: images\nkpt_shape: {shape}\n"
    dataset = open_dataset(yolo(tmp_path, f"0 0.5 0.5 0.5 0.5 {points}", yaml))
    labelled = only_object(dataset)
    assert "pose" in dataset.tasks
    assert labelled.keypoints == expected
    assert labelled.area == pytest.approx(20 * 10 * 0.53), "of a box, the share that OKS takes"


@pytest.mark.parametrize("given", ["list.txt", "[images]", "images/"])
def test_yolo_pictures_are_listed_or_lie_in_folders(tmp_path: Path, given: str) -> None:
    file = yolo(tmp_path, "0 0.5 0.5 0.5 0.5", f"names: {{0: cat, 1: dog}}\ntest: {given}\n")
    (tmp_path / "list.txt").write_text("./images/a.png\n")
    assert only_object(open_dataset(file)).box_xywh == (10, 5, 20, 10)


def test_a_picture_without_a_label_file_shows_nothing(tmp_path: Path) -> None:
    file = yolo(tmp_path, "0 0.5 0.5 0.5 0.5")
    picture_at(tmp_path / "images/b.png")
    assert [len(picture.objects) for picture in open_dataset(file).pictures] == [1, 0]


def test_classes_that_are_not_named_are_the_models_own(tmp_path: Path) -> None:
    yolo(tmp_path, "1 0.5 0.5 0.5 0.5").unlink()
    dataset = open_dataset(tmp_path)
    matching = match(dataset, model_with("bird", "cat"))
    assert (matching.class_ids, matching.is_by_name) == ((0, 1), False)
    with pytest.raises(DataError, match=r"labelled with class 1, model made has 1 labels; name the data's"):
        match(dataset, model_with("bird"))


def test_a_labelling_programs_list_of_classes_names_them(tmp_path: Path) -> None:
    yolo(tmp_path, "1 0.5 0.5 0.5 0.5").unlink()
    (tmp_path / "labels/classes.txt").write_text("cat\ndog\n")
    assert open_dataset(tmp_path).labels == ("cat", "dog")


def test_folders_name_the_classes_of_their_pictures(tmp_path: Path) -> None:
    for name in ("dog/2.png", "dog/10.png", "cat/1.png"):
        picture_at(tmp_path / name)
    dataset = open_dataset(tmp_path)
    assert dataset.labels == ("cat", "dog")
    assert [(p.path.name, p.class_id) for p in dataset.pictures] == [
        ("1.png", 0),
        ("2.png", 1),
        ("10.png", 1),
    ]


def test_pictures_without_a_mask_are_left_out_and_told(tmp_path: Path) -> None:
    for name in ("images/a.png", "images/b.png", "masks/a.png"):
        picture_at(tmp_path / name)
    dataset = open_dataset(tmp_path)
    assert [picture.path.name for picture in dataset.pictures] == ["a.png"]
    assert dataset.notes == ("1 pictures without a mask are left out",)


def test_names_match_whatever_their_case_spacing_and_synonyms(tmp_path: Path) -> None:
    labels = ("Traffic light", "dining_table", "aeroplane", "tench", "crane", "unicorn")
    dataset = Dataset(tmp_path, "made", frozenset(), labels, [])
    model = model_with("diningtable", "airplane", "traffic light", "tench, Tinca tinca", "crane", "crane")
    matching = match(dataset, model)
    assert matching.class_ids == (2, 0, 1, 3, -1, -1)
    assert matching.left_out == ("crane", "unicorn"), "a name that two labels share means neither"
    assert matching.judged == {0, 1, 2, 3}


def test_labels_that_share_nothing_with_the_models_are_refused(tmp_path: Path) -> None:
    dataset = Dataset(tmp_path, "made", frozenset(), ("moth", "wasp"), [])
    with pytest.raises(
        DataError, match=r"model made has none of its labels; it has cat, the data has moth, wasp"
    ):
        match(dataset, model_with("cat"))
    with pytest.raises(DataError, match=r"its labels moth and Moth all mean the model's 'moth'"):
        match(Dataset(tmp_path, "made", frozenset(), ("moth", "Moth"), []), model_with("moth"))


def test_a_limit_is_spread_over_all_pictures() -> None:
    pictures = [Picture(Path(f"{i}.png")) for i in range(101)]
    assert [picture.path.stem for picture in spread(pictures, 3)] == ["0", "50", "100"]
    assert spread(pictures, None) == spread(pictures, 1000) == pictures


def test_a_turned_picture_is_told_from_its_labels(tmp_path: Path) -> None:
    picture = Picture(tmp_path / "a.jpg", (), size=(640, 480))
    with pytest.raises(
        DataError, match=r"a.jpg: is 480×640 pixels as stored, its labels are for 640×480; EXIF"
    ):
        picture.objects_in((480, 640))


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"annotations": 3},
            r"not a COCO annotation file: Expected `array`, got `int` - at `\$.annotations`",
        ),
        ({"annotation": {"bbox": [1, 2, 3]}}, r"not a COCO .* length 4"),
        ({"annotation": {"category_id": 9}}, "annotation 1 has category 9, which isn't among"),
        ({"annotation": {"segmentation": [[1, 2, 3, 4]]}}, "annotation 1: a polygon needs"),
        ({"annotation": {"keypoints": [1, 2]}}, "annotation 1: keypoints are not"),
        (
            {"images": [{"id": 1, "file_name": "gone.png"}]},
            "1 of its 1 pictures are missing, among them gone.png",
        ),
        ({"images": []}, "no pictures in it"),
    ],
)
def test_what_is_wrong_with_a_coco_file_is_one_line(
    tmp_path: Path, changes: dict[str, Any], line: str
) -> None:
    with pytest.raises(DataError, match=line) as error:
        open_dataset(coco(tmp_path, **changes))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0 0.5 0.5 0.5", "a.txt: object 1: expected a box of 4 numbers or a polygon, found 3 numbers"),
        ("0 0.5 x 0.5 0.5", "expected numbers, found '0 0.5 x"),
        ("2 0.5 0.5 0.5 0.5", "expected a class id from 0 to 1, found 2"),
        ("0.5 0.5 0.5 0.5 0.5", "expected a class id from 0 to 1, found 0.5"),
        ("nan 0.5 0.5 0.5 0.5", "expected a class id"),
        ("0 20 10 5 5", "expected shares of the picture, 0 to 1"),
        ("0 nan 0.5 0.5 0.5", "expected shares of the picture, 0 to 1"),
    ],
)
def test_what_is_wrong_with_a_yolo_label_is_one_line(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        open_dataset(yolo(tmp_path, line))


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        ("names: [cat\n", "data.yaml:2: "),
        ("names: 3\n", "not a YOLO data.yaml"),
        ("names: {1: cat}\n", "names must be numbered from 0 to 0"),
        ("names: [cat]\nval: nowhere\n", "nowhere: no such folder or list"),
        ("names: [cat]\nval: list.txt\n", "list.txt: 1 of 1 pictures are missing, the first: .*gone.png"),
    ],
)
def test_what_is_wrong_with_a_data_yaml_is_one_line(tmp_path: Path, yaml: str, message: str) -> None:
    file = yolo(tmp_path, "0 0.5 0.5 0.5 0.5", yaml)
    (tmp_path / "list.txt").write_text("gone.png\n")
    with pytest.raises(DataError, match=message):
        open_dataset(file)


def test_what_is_no_dataset_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file or folder"):
        open_dataset(tmp_path / "nothing")
    with pytest.raises(DataError, match=r"expected a COCO .json, a YOLO data.yaml, or folders"):
        open_dataset(tmp_path)
    with pytest.raises(DataError, match=r"expected COCO's .json, .*, a .csv of tags, or a folder"):
        open_dataset(Path(__file__))
    (tmp_path / "broken.json").write_bytes(b'{"images": [')
    with pytest.raises(DataError, match="not a COCO annotation file: Input data was truncated"):
        open_dataset(tmp_path / "broken.json")
    with pytest.raises(DataError, match="only a COCO file needs it"):
        open_dataset(yolo(tmp_path / "yolo", "0 0.5 0.5 0.5 0.5"), tmp_path)
