"""Reading: a file without metadata is what its graph shows, with a sidecar's word above it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from msgspec.structs import replace
from onnx import helper, numpy_helper

from edge_engine.errors import ModelError
from edge_engine.models.choice import with_labels
from edge_engine.models.graph import read
from edge_engine.models.labels import VOC
from edge_engine.models.model import Model
from edge_engine.models.spec import InputSpec, ModelSpec
from tests.models.exported import exported
from tests.models.heads import end_to_end
from tests.models.whole_picture import whole_picture_model

CELLS = 84  # of strides 8, 16 and 32 in a picture of 64 x 64


def without_metadata(path: Path, *, dynamic: bool = False, outputs: int = 1) -> Path:
    """A YOLOv8-like model of three classes, as an exporter that writes no metadata leaves it."""
    model = onnx.load(exported(path, dynamic=dynamic, padding=0))
    del model.metadata_props[:]
    graph = model.graph
    (reshape,) = [node for node in graph.node if node.op_type == "Reshape"]
    reshape.output[0] = "finest"
    for name, value in (("begin", 0), ("end", CELLS - 64), ("axis", 2)):
        graph.initializer.append(numpy_helper.from_array(np.array([value], np.int64), name))
    graph.node.append(helper.make_node("Slice", ["finest", "begin", "end", "axis"], ["coarser"]))
    graph.node.append(helper.make_node("Concat", ["finest", "coarser"], ["output0"], axis=2))
    graph.output[0].type.tensor_type.shape.dim[2].dim_value = CELLS
    for i in range(1, outputs):
        graph.node.append(helper.make_node("Identity", ["output0"], [f"output{i}"]))
        graph.output.append(helper.make_tensor_value_info(f"output{i}", 1, [1, 7, CELLS]))
    onnx.save(model, path)
    return path


def test_a_graph_that_one_family_claims_needs_no_metadata(tmp_path: Path) -> None:
    spec = Model(without_metadata(tmp_path / "mine.onnx")).spec
    assert (spec.name, spec.family, spec.task) == ("mine", "yolov8", "detection")
    assert spec.labels == ("class 0", "class 1", "class 2")
    assert (spec.input.width, spec.input.height, spec.input.letterbox) == (64, 64, "centre")


def test_a_sidecar_says_what_the_graph_can_not(tmp_path: Path) -> None:
    path = without_metadata(tmp_path / "mine.onnx")
    (tmp_path / "mine.yaml").write_text(
        "labels: [cat, dog, bird]\nscore_threshold: 0.4\ninput: {colour: BGR, letterbox: top-left, pad: 0}\n"
    )
    spec = Model(path).spec
    assert spec.labels == ("cat", "dog", "bird")
    assert spec.score_threshold == 0.4
    assert (spec.input.colour, spec.input.letterbox, spec.input.pad) == ("BGR", "top-left", 0)


def test_a_sidecar_asks_for_classes_and_their_scores_by_name_or_number(tmp_path: Path) -> None:
    path = without_metadata(tmp_path / "mine.onnx")
    (tmp_path / "mine.yaml").write_text(
        "labels: [cat, dog, bird]\nclasses: [2, Cat]\nlabel_thresholds: {cat: 0.5, 2: 0.1}\n"
    )
    spec = Model(path).spec
    assert (spec.classes, spec.label_thresholds) == (("2", "Cat"), {"cat": 0.5, "2": 0.1})
    (tmp_path / "mine.yaml").write_text("labels: [cat, dog, bird]\nclasses: [brid]\n")
    with pytest.raises(ModelError, match=r"classes: 'brid' is none of its 3 labels; did you mean \"bird\""):
        Model(path)


def test_labels_that_are_given_stand_above_a_sidecar_and_metadata(tmp_path: Path) -> None:
    given = ("a", "b", "c")
    path = without_metadata(tmp_path / "mine.onnx")
    (tmp_path / "mine.yaml").write_text("labels: [cat, dog, bird]\n")
    assert Model(path, labels=given).spec.labels == given
    assert Model(path).spec.labels == ("cat", "dog", "bird")
    assert Model(exported(tmp_path / "said.onnx"), labels=given).spec.labels == given
    reading = read(tmp_path / "said.onnx", given)
    assert (reading.origins["labels"], reading.origins["family"]) == ("given", "metadata")
    for name in ("mine.onnx", "said.onnx"):
        with pytest.raises(ModelError, match=rf"{name}.* 2 labels"):
            Model(tmp_path / name, labels=("a", "b"))


def test_labels_by_custom_are_assumed_and_a_sidecar_wins(tmp_path: Path) -> None:
    path = whole_picture_model(tmp_path / "mine.onnx", "planes", 21)
    reading = read(path)
    assert (reading.spec.labels, reading.origins["labels"]) == (VOC, "assumed")
    names = [f"surface {i}" for i in range(21)]
    (tmp_path / "mine.yaml").write_text(f"labels: {names}\n")
    reading = read(path)
    assert (reading.spec.labels, reading.origins["labels"]) == (tuple(names), "sidecar")


def test_labels_may_be_what_a_graph_does_not_show(tmp_path: Path) -> None:
    path = end_to_end(tmp_path / "mine.onnx")
    with pytest.raises(ModelError, match="doesn't show how many classes there are"):
        Model(path)
    assert Model(path, labels=("a", "b", "c", "d")).spec.labels == ("a", "b", "c", "d")


def test_new_labels_take_over_what_is_said_of_the_old_ones() -> None:
    picture = InputSpec(64, 64, "NHWC", "uint8", "RGB", "stretch")
    spec = ModelSpec("m", "detection", "yolov8", picture, ("cat", "dog", "bird"), 0.3, 0.5)
    spec = replace(spec, classes=("Dog", "2"), label_thresholds={"bird": 0.5})
    renamed = with_labels(Path("m.onnx"), spec, ("x", "y", "y"))
    assert (renamed.labels, renamed.classes) == (("x", "y", "y"), ("1", "2"))
    assert renamed.label_thresholds == {"2": 0.5}


def test_a_sidecar_that_changes_changes_the_model(tmp_path: Path) -> None:
    """What was repaired and kept for the old one is not used."""
    path = without_metadata(tmp_path / "mine.onnx")
    assert Model(path).spec.labels[0] == "class 0"
    (tmp_path / "mine.yaml").write_text("labels: [a, b, c]\n")
    assert Model(path).spec.labels == ("a", "b", "c")
    (tmp_path / "mine.yaml").write_text("labels_file: names.txt\n")
    (tmp_path / "names.txt").write_text("x\ny\nz\n\n")
    assert Model(path).spec.labels == ("x", "y", "z")
    (tmp_path / "names.txt").write_text("p\nq\nr\n")
    assert Model(path).spec.labels == ("p", "q", "r")


def test_a_free_size_is_asked_for_and_then_taken(tmp_path: Path) -> None:
    path = without_metadata(tmp_path / "mine.onnx", dynamic=True)
    with pytest.raises(ModelError, match=r"leaves the picture's size free; write `input: .*mine\.yaml"):
        Model(path)
    (tmp_path / "mine.yaml").write_text("input: {width: 64, height: 64}\n")
    assert Model(path).spec.input.width == 64


@pytest.mark.parametrize(
    ("sidecar", "line"),
    [
        ("labels: [a, b]", "mine.yaml: has 2 labels; mine.onnx has room for 3"),
        ("labels: a", "mine.yaml:1: labels: expected a list of names"),
        ("colour: RGB", 'mine.yaml:1: colour: unknown key "colour"'),
        ("input: {mean: [1, 2]}", "mine.yaml:1: input.mean: expected three numbers"),
        ("labels_file: none.txt", "none.txt can't be read"),
        ("family: yolo99", "model family 'yolo99' is unknown"),
        ("family: nanodet", "isn't of the family 'nanodet', by its outputs output0 [1, 7, 84]"),
    ],
)
def test_a_sidecar_that_can_not_be_used_is_one_line(tmp_path: Path, sidecar: str, line: str) -> None:
    path = without_metadata(tmp_path / "mine.onnx")
    (tmp_path / "mine.yaml").write_text(sidecar + "\n")
    with pytest.raises(ModelError) as caught:
        Model(path)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_graph_that_no_family_claims_is_one_line_that_says_how_to_go_on(tmp_path: Path) -> None:
    with pytest.raises(
        ModelError, match=r"fits no known family \(outputs .*write `family: …` into .*mine\.yaml"
    ):
        Model(without_metadata(tmp_path / "mine.onnx", outputs=2))
