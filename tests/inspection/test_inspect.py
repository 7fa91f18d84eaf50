"""`edge-engine inspect`: real models, what they say, and what they find in pictures with known content."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import msgspec
import numpy as np
import onnx
import pytest
from msgspec.structs import replace
from onnx import TensorProto, helper, numpy_helper

from edge_engine.inspection.readings import FOUND
from edge_engine.inspection.report import Inspection
from edge_engine.models.reading import read_spec
from edge_engine.pictures import known_pictures
from edge_engine.zoo import entries, find_model
from tests.cli.program import ROOT, assert_one_clear_line, run_program
from tests.models.exported import save
from tests.models.test_reading import without_metadata


def inspected(*arguments: str) -> Inspection:
    done = run_program("inspect", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return msgspec.json.decode(done.stdout, type=Inspection)


def test_the_bundled_pictures_are_those_of_the_index_and_have_their_notice() -> None:
    notice = (ROOT / "NOTICE").read_text()
    for known in known_pictures().values():
        assert hashlib.sha256(known.path.read_bytes()).hexdigest() == known.sha256
        assert known.file in notice


def test_the_bundled_model_finds_what_is_known_to_be_there() -> None:
    found = inspected("nanodet-g")
    assert found.sha256 == entries()["nanodet-g"].sha256
    assert found.origins["family"] == "metadata"
    assert found.providers["cpu"] == "loads"
    assert found.repairs == []
    (trial,) = found.trials
    assert trial.score >= FOUND
    best = {sight.picture: sight.found[0].split()[0] for sight in trial.sights}
    assert best["astronaut"] == "person"
    assert best["chelsea"] == "cat"
    # Counted by hand from its layers: 34 convolutions.
    assert found.graph.gmacs == pytest.approx(2.09, abs=0.01)
    assert found.graph.parameters == pytest.approx(3.8e6, rel=0.01)


def test_where_each_fact_comes_from_is_told(tmp_path: Path) -> None:
    path = without_metadata(tmp_path / "mine.onnx")
    (tmp_path / "mine.yaml").write_text("input: {colour: BGR}\n")
    found = inspected(str(path))
    assert found.origins["family"] == "graph"
    assert found.origins["input.colour"] == "sidecar"
    assert found.origins["input.mean"] == "assumed"
    assert any("uint8 NHWC" in change for change in found.repairs)


def wanting_floats(path: Path, std: float) -> Path:
    """The bundled detector as exporters leave theirs: float NCHW 0..1 in, and metadata that says `std`."""
    model = onnx.load(find_model("nanodet-g"))
    spec = read_spec(path, {entry.key: entry.value for entry in model.metadata_props})
    graph, old = model.graph, model.graph.input[0].name
    graph.input[0].CopyFrom(helper.make_tensor_value_info("floats", TensorProto.FLOAT, [1, 3, 416, 416]))
    graph.initializer.append(numpy_helper.from_array(np.float32(255), "white"))
    head = [
        helper.make_node("Mul", ["floats", "white"], ["scaled"]),
        helper.make_node("Round", ["scaled"], ["whole"]),
        helper.make_node("Cast", ["whole"], ["bytes"], to=TensorProto.UINT8),
        helper.make_node("Transpose", ["bytes"], [old], perm=[0, 2, 3, 1]),
    ]
    for node in reversed(head):
        graph.node.insert(0, node)
    picture = replace(spec.input, layout="NCHW", dtype="float32", std=(std,) * 3)
    return save(model, path, replace(spec, input=picture))


def test_a_wrong_reading_is_found_out_and_the_right_one_named_and_stored(tmp_path: Path) -> None:
    path = wanting_floats(tmp_path / "wrong.onnx", std=1.0)
    found = inspected(str(path))
    assert min(sight.score for sight in found.trials[0].sights) < FOUND
    best = found.trials[found.best]
    assert best.reading == "BGR 0..1"
    assert best.score >= FOUND
    done = run_program("inspect", str(path), "--write")
    assert "works best as BGR 0..1" in done.stdout
    assert "written into" in done.stdout
    again = inspected(str(path))
    assert again.best == 0
    assert again.trials[0].score == pytest.approx(best.score)


def test_a_right_reading_is_not_doubted(tmp_path: Path) -> None:
    found = inspected(str(wanting_floats(tmp_path / "right.onnx", std=255.0)))
    assert len(found.trials) == 1
    assert found.trials[0].score >= FOUND


def test_a_model_of_persons_is_judged_by_the_picture_that_shows_one(tmp_path: Path) -> None:
    model = onnx.load(find_model("nanodet-g"))
    path = tmp_path / "persons.onnx"
    spec = read_spec(path, {entry.key: entry.value for entry in model.metadata_props})
    save(model, path, replace(spec, labels=("person", *(f"thing {i}" for i in range(79)))))
    (trial,) = inspected(str(path)).trials
    assert [sight.picture for sight in trial.sights] == ["astronaut"]


def test_a_picture_of_ones_own_is_tried_instead(tmp_path: Path) -> None:
    shutil.copy(known_pictures()["chelsea"].path, tmp_path / "mine.jpg")
    (trial, *_) = inspected("nanodet-g", "--picture", str(tmp_path / "mine.jpg")).trials
    assert [sight.picture for sight in trial.sights] == ["mine"]
    assert trial.sights[0].found[0].startswith("cat")


def test_what_can_not_be_inspected_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "text.onnx").write_text("no model")
    assert_one_clear_line(run_program("inspect", "no-such"), 2, "neither a file nor in the zoo")
    assert_one_clear_line(run_program("inspect", str(tmp_path / "text.onnx")), 2, "text.onnx")
    assert_one_clear_line(run_program("inspect", str(tmp_path / "none.onnx")), 2, "none.onnx")
    done = run_program("inspect", "nanodet-g", "--picture", str(tmp_path / "text.jpg"))
    assert_one_clear_line(done, 2, "can't be read as a picture")
