"""labels: the lists are whole, and COCO's category ids lead to the right names."""

from __future__ import annotations

import pytest

from edge_engine.models.labels import COCO, COCO_91_TO_80, VOC, customary_labels, imagenet
from edge_engine.models.names import class_id_of
from edge_engine.models.spec import Task


def test_every_list_has_its_number_of_different_names() -> None:
    assert (len(set(COCO)), len(COCO)) == (80, 80)
    assert (len(set(VOC)), len(VOC)) == (21, 21)
    assert (len(set(imagenet())), len(imagenet())) == (1000, 1000)
    assert sorted(COCO_91_TO_80.values()) == list(range(80))


@pytest.mark.parametrize(
    ("category", "name"),
    [
        (1, "person"),
        (11, "fire hydrant"),
        (13, "stop sign"),
        (27, "backpack"),
        (31, "handbag"),
        (44, "bottle"),
        (46, "wine glass"),
        (67, "dining table"),
        (70, "toilet"),
        (72, "tv"),
        (84, "book"),
        (90, "toothbrush"),
    ],
)
def test_cocos_category_ids_lead_to_their_names(category: int, name: str) -> None:
    assert COCO[COCO_91_TO_80[category]] == name


def test_ids_that_coco_does_not_use_lead_nowhere() -> None:
    assert not {0, 12, 26, 29, 30, 45, 66, 68, 69, 71, 83, 91} & set(COCO_91_TO_80)


@pytest.mark.parametrize(
    ("class_id", "name"),
    [(0, "tench"), (88, "macaw"), (281, "tabby"), (319, "dragonfly"), (985, "daisy"), (999, "toilet tissue")],
)
def test_imagenets_names_are_in_the_order_of_its_models_outputs(class_id: int, name: str) -> None:
    assert imagenet()[class_id] == name
    assert class_id_of(imagenet(), name.upper()) == class_id


@pytest.mark.parametrize(
    ("task", "classes", "first", "last"),
    [
        ("detection", 80, "person", "toothbrush"),
        ("instance-segmentation", 80, "person", "toothbrush"),
        ("detection", 20, "aeroplane", "tvmonitor"),
        ("segmentation", 21, "background", "tvmonitor"),
        ("classification", 1000, "tench", "toilet tissue"),
        ("classification", 1001, "background", "toilet tissue"),
    ],
)
def test_classes_without_names_are_read_as_the_well_known_ones_of_their_number(
    task: Task, classes: int, first: str, last: str
) -> None:
    labels = customary_labels(task, classes)
    assert (len(labels), labels[0], labels[-1]) == (classes, first, last)


@pytest.mark.parametrize(
    ("task", "classes"), [("detection", 21), ("segmentation", 20), ("tagging", 80), ("classification", 80)]
)
def test_other_numbers_mean_nothing(task: Task, classes: int) -> None:
    assert customary_labels(task, classes) == ()
