"""labels: the lists are whole, and COCO's category ids lead to the right names."""

from __future__ import annotations

import pytest

from edge_engine.models.labels import COCO, COCO_91_TO_80, VOC


def test_every_list_has_its_number_of_different_names() -> None:
    assert (len(set(COCO)), len(COCO)) == (80, 80)
    assert (len(set(VOC)), len(VOC)) == (21, 21)
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
