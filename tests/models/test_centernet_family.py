"""CenterNet's maps become the objects that the plain numpy twins find. Weights are random."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_engine.errors import ModelError
from edge_engine.models.families.centernet import CenterNet
from edge_engine.models.spec import InputSpec, ModelSpec
from edge_engine.result import Objects
from tests.models.made import made, opened, run
from tests.models.many_facts import CENTERNET, facts
from tests.reference.nms import nms_reference
from tests.reference.peaks import decode_peaks_reference

LABELS, CELLS = ("person", "car", "bicycle"), 16
SHAPES = {"hm": (1, 3, CELLS, CELLS), "wh": (1, 2, CELLS, CELLS), "reg": (1, 2, CELLS, CELLS)}


def spec(labels: tuple[str, ...] = LABELS, **options: Any) -> ModelSpec:  # noqa: ANN401 - a family's own
    picture = InputSpec(64, 64, "NCHW", "float32", "BGR", "centre", std=(255.0,) * 3)
    return ModelSpec("tiny", "detection", "centernet", picture, labels, 0.3, 1.0, options=options)


@pytest.mark.parametrize("is_logits", [False, True])
@pytest.mark.parametrize("iou", [0.3, 1.0])
def test_a_graph_gives_the_objects_of_the_reference(
    is_logits: bool, iou: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = {"hm": "Identity" if is_logits else "Sigmoid", "wh": "Exp", "reg": "Sigmoid"}
    outputs = {name: (shape, last[name]) for name, shape in SHAPES.items()}
    model = opened(made(tmp_path / "centernet.onnx", spec(is_logits=is_logits), outputs), monkeypatch)
    maps = run(model)
    objects = model.decoder(list(maps.values()), 0.5, iou)
    boxes, scores, class_ids = decode_peaks_reference(
        maps["hm"][0], maps["wh"][0], maps["reg"][0], 4, is_logits, 0.5
    )
    kept = nms_reference(boxes, scores, class_ids, iou)
    assert isinstance(objects, Objects)
    assert len(objects) > 3
    np.testing.assert_array_equal(objects.class_ids, class_ids[kept])
    np.testing.assert_allclose(objects.scores, scores[kept], rtol=1e-6)
    np.testing.assert_allclose(objects.boxes_xyxy, boxes[kept], rtol=1e-5, atol=1e-4)


def one_object(names: tuple[str, str, str]) -> list[np.ndarray]:
    """Heat, sizes, offsets of an object in row 2, column 5."""
    heat, sizes, offsets = (np.zeros(shape, np.float32) for shape in SHAPES.values())
    heat[0, 1, 2, 5], sizes[0, :, 2, 5], offsets[0, :, 2, 5] = 0.875, (4, 2), (0.5, 0.25)
    parts = {"heat": heat, "sizes": sizes, "offsets": offsets}
    return [parts[name] for name in names]


@pytest.mark.parametrize(
    ("names", "order"),
    [
        (("hm", "wh", "reg"), ("heat", "sizes", "offsets")),
        (("reg", "wh", "hm"), ("offsets", "sizes", "heat")),
        (("offset_pred", "center_heatmap_pred", "wh_pred"), ("offsets", "heat", "sizes")),
        (("100", "101", "102"), ("heat", "sizes", "offsets")),
    ],
)
def test_maps_are_told_by_their_names_or_their_order(
    names: tuple[str, str, str], order: tuple[str, str, str]
) -> None:
    maps = one_object(order)
    decoder = CenterNet(spec(), {name: m.shape for name, m in zip(names, maps, strict=True)})
    objects = decoder(maps, 0.5, 1.0)
    assert objects.boxes_xyxy.tolist() == [[14, 5, 30, 13]]
    assert (objects.class_ids.tolist(), objects.scores.tolist()) == ([1], [0.875])


def test_options_name_the_maps_when_neither_helps() -> None:
    maps = one_object(("offsets", "sizes", "heat"))
    shapes = {name: m.shape for name, m in zip("abc", maps, strict=True)}
    objects = CenterNet(spec(sizes="b", offsets="a"), shapes)(maps, 0.5, 1.0)
    assert objects.boxes_xyxy.tolist() == [[14, 5, 30, 13]]


def test_two_labels_need_names() -> None:
    shown = dict.fromkeys(("hm", "wh", "reg"), (1, 2, 16, 16))
    deduction = CenterNet.deduce(facts((64, 64), shown))
    assert deduction is not None
    assert CenterNet.reads(spec(labels=("a", "b")), shown) == ["hm", "wh", "reg"]
    assert CenterNet.deduce(facts((64, 64), dict.fromkeys("abc", (1, 2, 16, 16)))) is None


def test_nothing_above_the_threshold_and_no_numbers_give_no_objects() -> None:
    for is_logits in (False, True):
        decoder = CenterNet(spec(is_logits=is_logits), SHAPES)
        for value in (-100, np.nan, np.inf):
            outputs = [np.full(shape, value, np.float32) for shape in SHAPES.values()]
            assert len(decoder(outputs, 0.3, 1.0)) == 0


@pytest.mark.parametrize("sigmoids", [0, 1])
def test_it_is_recognised_with_its_customs(sigmoids: int) -> None:
    deduction = CenterNet.deduce(CENTERNET._replace(operators={"Sigmoid": sigmoids}))
    assert deduction is not None
    assert (deduction.classes, deduction.letterbox, deduction.colour) == (80, "centre", "BGR")
    assert deduction.options == {"is_logits": not sigmoids, "sizes": "wh", "offsets": "reg"}
    np.testing.assert_allclose(deduction.mean, np.array([0.4079, 0.4472, 0.4703]) * 255, rtol=1e-3)


@pytest.mark.parametrize(
    "wrong",
    [
        {"hm": (1, 4, 16, 16), "wh": (1, 2, 16, 16), "reg": (1, 2, 16, 16)},
        {"hm": (1, 3, 16, 16), "wh": (1, 2, 16, 16), "reg": (1, 2, 16, 8)},
        {"hm": (1, 3, 16, 8), "wh": (1, 2, 16, 8), "reg": (1, 2, 16, 8)},
        {"hm": (1, 3, 16, 16), "wh": (1, 4, 16, 16), "reg": (1, 2, 16, 16)},
        {"hm": (1, 3, 16, 16)},
        {},
    ],
)
def test_outputs_that_do_not_fit_are_one_clear_line(wrong: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(ModelError, match=r"expected heat \[1, 3, rows, columns\] for 3 labels") as raised:
        CenterNet(spec(), wrong)
    assert "\n" not in str(raised.value)


def test_an_option_that_is_none_is_one_clear_line() -> None:
    with pytest.raises(ModelError, match="option is_logits is 1; expected true or false"):
        CenterNet(spec(is_logits=1), SHAPES)
