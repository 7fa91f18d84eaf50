"""What a person reads of a result, whatever the model's task."""

from __future__ import annotations

import numpy as np
import pytest

from edge_engine.cli.listen import _line
from edge_engine.cli.screen import in_percent
from edge_engine.cli.status import _in_view
from edge_engine.frame import Frame
from edge_engine.ledger import Counts
from edge_engine.outputs.rows import message_of
from edge_engine.result import Answer, Objects, Result, Segmentation, Tags
from edge_engine.stages.record import StreamRecord
from edge_engine.state import StreamStatus

LABELS = ("road", "car", "person")
GRID = np.repeat(np.array([0, 1, 2], np.uint8), [792, 207, 1]).reshape(10, 100)

CASES: dict[str, tuple[Answer, str, str]] = {
    "objects": (
        Objects(
            np.array([[1, 2, 3, 4], [5, 6, 7, 8]], np.float32),
            np.array([0.9, 0.5], np.float32),
            np.array([1, 1], np.int32),
        ),
        "  car 0.90 [1 2 3 4]  car 0.50 [5 6 7 8]",
        "2 car",
    ),
    "no objects": (Objects.none(), "  nothing seen", "nothing in view"),
    "tags": (
        Tags(np.array([2, 0], np.int32), np.array([0.871, 0.1], np.float32)),
        "  person 0.87  road 0.10",
        "person 0.87, road 0.10",
    ),
    "no tags": (
        Tags(np.empty(0, np.int32), np.empty(0, np.float32)),
        "  nothing seen",
        "nothing in view",
    ),
    "a segmentation": (
        Segmentation(GRID),
        "  road 79 %, car 21 %, person <1 %",
        "road 79 %, car 21 %, person <1 %",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_every_answer_is_shown_readably(name: str) -> None:
    answer, listened, in_view = CASES[name]
    result = Result(Frame("front", 7, 0, 0, (640, 480), None), answer, LABELS, "m", "s", 1)
    line = _line(message_of(result, Counts(1, 1, 0, {})), 9.1).plain
    assert line.startswith("front #7  age ")
    assert line.endswith(f" ms{listened}")
    assert _in_view(StreamRecord(StreamStatus("a"), last_result=result)) == in_view


def test_many_tags_are_cut_short_on_the_status_line() -> None:
    tags = Tags(np.zeros(40, np.int32), np.full(40, 0.5, np.float32))
    result = Result(Frame("front", 7, 0, 0, (640, 480), None), tags, LABELS, "m", "s", 1)
    assert _in_view(StreamRecord(StreamStatus("a"), last_result=result)).count("road") == 5


def test_shares_are_largest_first_and_none_looks_like_nothing() -> None:
    assert in_percent({"a": 0.004, "50% grey": 0.25, "b": 0.746}) == "b 75 %, 50% grey 25 %, a <1 %"
    assert in_percent({}) == ""


def test_before_any_result_it_says_so() -> None:
    assert _in_view(StreamRecord(StreamStatus("a"))) == "no result yet"
