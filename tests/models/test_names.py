"""Names: a person's word finds its label, and a slip of the pen is told from a wrong model."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_engine.models.labels import COCO, VOC
from edge_engine.models.names import class_id_of, unknown

WORDS = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("labels", "name", "class_id"),
    [
        (COCO, "person", 0),
        (COCO, "Traffic-Light", 9),
        (COCO, "traffic light", 9),
        (COCO, "aeroplane", 4),  # as VOC calls it
        (VOC, "airplane", 1),
        (COCO, "2", 2),
        (COCO, "79", 79),
        (COCO, "80", None),
        (COCO, "-1", None),
        (COCO, "", None),
        (COCO, "²", None),
        (("7", "3", "x"), "3", 1),  # a name before a number
        (("7", "3", "x"), "0", 0),
        (("tabby, tabby cat", "tiger cat"), "tabby cat", 0),
        (("tabby, cat", "tiger, cat"), "cat", None),
        (("crane", "crane"), "crane", None),
        (("crane", "crane"), "1", 1),
        (("Person", "person"), "person", 1),
    ],
)
def test_a_name_means_a_label_whatever_its_case_and_spacing_or_by_number(
    labels: tuple[str, ...], name: str, class_id: int | None
) -> None:
    assert class_id_of(labels, name) == class_id


@pytest.mark.parametrize(
    ("labels", "name", "hint"),
    [
        (COCO, "persn", 'none of its 80 labels; did you mean "person"?'),
        (COCO, "cra", 'did you mean "car"?'),
        (COCO, "trafic light", 'did you mean "traffic light"?'),
        (
            COCO,
            "unicorn",
            "it has person, bicycle, car, motorcycle, airplane … (80 in all), or their numbers",
        ),
        (
            ("crane", "heron", "crane"),
            "crane",
            "2 labels are called 'crane'; say their numbers instead: 0, 2",
        ),
    ],
)
def test_a_name_that_means_none_is_answered_with_the_nearest(
    labels: tuple[str, ...], name: str, hint: str
) -> None:
    assert hint in unknown(labels, name)


@given(st.lists(WORDS, min_size=1, max_size=9, unique_by=str.casefold))
def test_every_label_is_found_by_its_own_name(labels: list[str]) -> None:
    assert [class_id_of(labels, label) for label in labels] == list(range(len(labels)))
