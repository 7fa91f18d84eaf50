"""Limits: what is asked for of single labels changes nothing about the others, in every family.

Outputs are random: what a decoder gives with limits is what it gives without them, cut afterwards.
Suppression goes class by class, so that cutting before it and after it is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from numpy.typing import NDArray

from edge_engine.errors import ModelError
from edge_engine.models.families import FAMILIES, load_family
from edge_engine.models.families.family import MAX_OBJECTS
from edge_engine.models.families.limits import Limits
from edge_engine.models.spec import InputSpec, ModelSpec
from edge_engine.result import Answer, Objects, Segmentation, Tags

SIZE = 64
CELLS = 64 + 16 + 4  # of strides 8, 16 and 32
LABELS = ("cat", "dog", "cow")
IOU = 0.5


class Head(NamedTuple):
    """A family's outputs; `class_column`: where an output of rows has its class."""

    shapes: dict[str, tuple[int, ...]]
    options: Mapping[str, Any] = MappingProxyType({})
    labels: tuple[str, ...] = LABELS
    class_column: int | None = None


def faces(*widths: int, per_cell: int = 1) -> dict[str, tuple[int, ...]]:
    rows = [per_cell * (SIZE // stride) ** 2 for stride in (8, 16, 32)]
    return {f"{i} of {n}": (1, n, width) for i, width in enumerate(widths) for n in rows}


FACE = ("face",)
BLAZE = {"strides": [8, 16], "anchors_per_layer": 2}
SSD = {"box_format": "normalised"}
GRAPH_NMS = {"boxes": "boxes", "scores": "scores", "classes": "classes"}
HEADS = {
    "blazeface": Head({"numbers": (1, 160, 16), "logits": (1, 160, 1)}, BLAZE, FACE),
    "centernet": Head({"hm": (1, 3, 16, 16), "wh": (1, 2, 16, 16), "reg": (1, 2, 16, 16)}),
    "classifier": Head({"scores": (1, 3)}, {"activation": "none"}),
    "detr": Head({"logits": (1, 30, 3), "pred_boxes": (1, 30, 4)}, {"activation": "sigmoid"}),
    "end_to_end": Head({"rows": (1, 30, 6)}, class_column=5),
    "fastestdet": Head({"map": (1, 8, 4, 4)}),
    "graph_nms": Head({"boxes": (1, 9, 4), "scores": (1, 9), "classes": (1, 9)}, GRAPH_NMS, class_column=-1),
    "movenet": Head({"people": (1, 6, 56)}, labels=("person",)),
    "nanodet": Head({"all": (1, CELLS, 3 + 32)}, {"strides": [8, 16, 32]}),
    "paddle_nms": Head({"rows": (30, 6)}, class_column=0),
    "picodet": Head({"all": (1, CELLS + 1, 3 + 32)}),
    "ppyoloe": Head({"boxes": (1, CELLS, 4), "scores": (1, 3, CELLS)}),
    "scrfd": Head(faces(1, 4, per_cell=2), labels=FACE),
    "segmenter": Head({"mask": (1, 1, 8, 8)}, {"activation": "none"}, ("street", "car")),
    "ssd": Head({"scores": (1, 30, 3), "boxes": (1, 30, 4)}, SSD | {"activation": "none"}),
    "tagger": Head({"scores": (1, 3)}, {"activation": "none"}),
    "ultralight": Head({"scores": (1, 235, 2), "boxes": (1, 235, 4)}, labels=FACE),
    "yolo_pose": Head({"output0": (1, 4 + 3 + 6, CELLS)}, {"keypoint_shape": [2, 3]}),
    "yolo_seg": Head({"output0": (1, 4 + 3 + 8, CELLS), "output1": (1, 8, 16, 16)}),
    "yolofastest": Head({"all": (1, 20, 18)}),
    "yolov5": Head({"output0": (1, 3 * CELLS, 8)}),
    "yolov8": Head({"output0": (1, 7, CELLS)}),
    "yolox": Head({"output": (1, CELLS, 8)}),
    "yunet": Head(faces(1, 1, 4, 10), labels=FACE),
}
MORE = {
    "yolo_seg of YOLOv5": Head({"output0": (1, 3 * CELLS, 5 + 3 + 8), "output1": (1, 8, 16, 16)}),
    "yolo_seg end to end": Head({"output0": (1, 30, 14), "output1": (1, 8, 16, 16)}, class_column=5),
    "detr in rows": Head({"rows": (1, 30, 7)}),
}
LIMITS = st.fixed_dictionaries({}, optional={label: st.sampled_from([0.1, 0.5, 0.8]) for label in LABELS})


def spec_of(family: str, head: Head) -> ModelSpec:
    picture = InputSpec(SIZE, SIZE, "NHWC", "uint8", "RGB", "stretch")
    task: Any = {"segmenter": "segmentation", "tagger": "tagging"}.get(family, "detection")
    return ModelSpec("m", task, family, picture, head.labels, 0.3, IOU, options=dict(head.options))


def random_outputs(head: Head, seed: int) -> list[NDArray[np.float32]]:
    """Numbers 0..1, with the sides of boxes in their order and classes as whole numbers."""
    rng = np.random.default_rng(seed)
    outputs = [rng.random(shape, np.float32) for shape in head.shapes.values()]
    for name, output in zip(head.shapes, outputs, strict=True):
        if "boxes" in name or "rows" in name:
            left = 2 if name == "rows" and head.class_column == 0 else 0
            output[..., left + 2 : left + 4] += 1  # right and bottom
        if head.class_column == -1 and name == "classes":
            output[...] = np.floor(output * 3) + 1
        elif head.class_column is not None and head.class_column >= 0 and output.ndim < 4:
            output[..., head.class_column] = np.floor(output[..., head.class_column] * 3)
            if head.class_column == 5:
                output[..., 2:4] += 1
    return outputs


def decoded(spec: ModelSpec, head: Head, outputs: list[NDArray[np.float32]], threshold: float) -> Answer:
    return load_family(spec.family)(spec, head.shapes)(outputs, threshold, IOU)


def columns(answer: Objects | Tags) -> list[NDArray[Any]]:
    found = [answer.class_ids, answer.scores]
    if isinstance(answer, Objects):
        found += [answer.boxes_xyxy]
        found += [part for part in (answer.keypoints, answer.masks) if part is not None]
    return found


def test_every_family_has_a_head_here() -> None:
    assert set(HEADS) == set(FAMILIES)


@pytest.mark.parametrize("name", sorted((HEADS | MORE).keys() - {"segmenter"}))
def test_limits_leave_what_a_cut_afterwards_leaves(name: str) -> None:
    head = (HEADS | MORE)[name]
    plain = spec_of(name.split(" ")[0], head)
    found_any = []

    @settings(deadline=None, max_examples=15)
    @given(limits=LIMITS, classes=st.sets(st.sampled_from(LABELS)), seed=st.integers(0, 2**32 - 1))
    def check(limits: dict[str, float], classes: set[str], seed: int) -> None:
        own = {label: limit for label, limit in limits.items() if label in head.labels}
        asked = [label for label in head.labels if label in classes]
        spec = replace(plain, label_thresholds=own, classes=tuple(asked))
        outputs = random_outputs(head, seed)
        least = min([0.3, *own.values()])
        everything = decoded(plain, head, outputs, least)
        found = decoded(spec, head, outputs, 0.3)
        assert isinstance(everything, Objects | Tags)
        assert isinstance(found, Objects | Tags)
        assert len(everything) < MAX_OBJECTS
        limit_of = [own.get(label, 0.3) if not asked or label in asked else np.inf for label in head.labels]
        kept = everything.scores >= np.array(limit_of, np.float32)[everything.class_ids]
        for one, other in zip(columns(found), columns(everything), strict=True):
            np.testing.assert_array_equal(one, other[kept])
        found_any.append(kept.any())

    check()
    assert any(found_any)


SCORES = np.array(
    [[[[0.1, 0.9], [0.2, 0.0]], [[0.2, 0.0], [0.9, 0.1]], [[0.3, 0.1], [0.0, 0.9]]]], np.float32
)


def segmented(spec: ModelSpec, output: NDArray[np.float32], threshold: float = 0.5) -> Segmentation:
    found = load_family("segmenter")(spec, {"map": output.shape})([output], threshold, IOU)
    assert isinstance(found, Segmentation)
    return found


def test_cells_of_classes_that_are_not_asked_for_are_void_and_have_no_share() -> None:
    spec = replace(spec_of("segmenter", Head({})), classes=("Cow", "dog"))
    found = segmented(spec, SCORES)
    assert found.class_ids.tolist() == [[2, 255], [1, 2]]
    assert (found.void, found.shares()) == (255, {1: 0.25, 2: 0.5})


def test_with_256_labels_void_is_no_class() -> None:
    many = tuple(f"label {i}" for i in range(256))
    spec = replace(spec_of("segmenter", Head({}, labels=many)), classes=("label 255",))
    scores = np.zeros((1, 256, 1, 2), np.float32)
    scores[0, [255, 3], 0, [0, 1]] = 1
    found = segmented(spec, scores)
    assert (found.class_ids.tolist(), found.shares()) == ([[255, 65535]], {255: 0.5})


@pytest.mark.parametrize(
    ("classes", "thresholds", "cells"),
    [
        ((), {"car": 0.8}, [0, 0, 1]),
        (("car",), {}, [255, 1, 1]),
        (("street",), {}, [0, 255, 255]),
        (("street",), {"car": 0.8}, [0, 0, 255]),
    ],
)
def test_a_masks_label_inside_has_a_threshold_and_either_may_be_asked_for(
    classes: tuple[str, ...], thresholds: dict[str, float], cells: list[int]
) -> None:
    spec = replace(spec_of("segmenter", HEADS["segmenter"]), classes=classes, label_thresholds=thresholds)
    mask = np.array([[[[0.2, 0.6, 0.9]]]], np.float32)
    assert segmented(spec, mask).class_ids.tolist() == [cells]


def test_cells_of_the_best_class_have_no_threshold() -> None:
    spec = replace(spec_of("segmenter", Head({})), label_thresholds={"cow": 0.5})
    with pytest.raises(ModelError, match="label_thresholds: its cells are of their best class"):
        segmented(spec, SCORES)


def test_the_best_five_are_those_of_the_classes_asked_for() -> None:
    labels = tuple("abcdefghij")
    spec = spec_of("classifier", Head({}, {"activation": "none"}, labels))
    scores = np.linspace(1, 0.1, 10, dtype=np.float32)[None]
    found = decoded(replace(spec, classes=("j", "h", "b")), Head({"s": (1, 10)}), [scores], 0.0)
    assert isinstance(found, Tags)
    assert found.class_ids.tolist() == [1, 7, 9]


@pytest.mark.parametrize("key", ["classes", "label_thresholds"])
def test_a_name_that_is_no_label_is_one_line_with_the_nearest(key: str) -> None:
    wrong: Any = {"classes": ("cat", "dgo"), "label_thresholds": {"dgo": 0.1}}[key]
    with pytest.raises(
        ModelError, match=f"model m: {key}: 'dgo' is none of its 3 labels; did you mean \"dog\""
    ):
        Limits(replace(spec_of("yolov8", HEADS["yolov8"]), **{key: wrong}))
