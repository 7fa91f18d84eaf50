"""--labels, --classes and --threshold: read from the command line, and above what a configuration says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from edge_engine.cli.naming import naming
from edge_engine.config import parse_config
from edge_engine.errors import EdgeEngineError
from edge_engine.models.model import Model
from edge_engine.zoo import find_model
from tests.cli.program import assert_one_clear_line, run_program
from tests.evaluation import street

CONFIG = """
streams:
  front: {source: "0"}
  rear: {source: "1", classes: [dog], score_threshold: 0.7, label_thresholds: {car: 0.8, dog: 0.2}}
label_thresholds: {person: 0.6}
labels_file: old.txt
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.4", (0.4, {})),
        ("person=0.5,car=0.3", (None, {"person": 0.5, "car": 0.3})),
        ("traffic light=0.5, 0.2", (0.2, {"traffic light": 0.5})),
        ("a=b=1", (None, {"a=b": 1.0})),
    ],
)
def test_a_threshold_is_of_all_classes_or_of_single_ones(
    text: str, expected: tuple[float | None, dict[str, float]]
) -> None:
    said = naming(None, None, text)
    assert (said.score_threshold, said.label_thresholds) == expected


@pytest.mark.parametrize("text", ["", "2", "person", "person=", "person=nan", "0.3,,car=0.1", "car=-1"])
def test_what_is_no_threshold_is_one_line(text: str) -> None:
    with pytest.raises(EdgeEngineError, match=r"expected numbers 0\.\.1, such as"):
        naming(None, None, text)


def test_labels_are_a_file_with_one_a_line_or_a_list(tmp_path: Path) -> None:
    file = tmp_path / "names"
    file.write_text("traffic light\ncar, lorry\n\n")
    assert naming(str(file), None, None).labels == ("traffic light", "car, lorry")
    assert naming("cat, dog", None, None).labels == ("cat", "dog")
    assert naming("face", None, None).labels == ("face",)
    for text, word in (("none.txt", "none.txt can't be read"), ("a,,b", "expected names with commas")):
        with pytest.raises(EdgeEngineError, match=word):
            naming(text, None, None)


def test_a_command_line_is_above_a_configuration_and_its_streams() -> None:
    config = parse_config(CONFIG, "x.yaml")
    asked = naming("a,b", "a", "0.4").applied_in(config)
    assert (asked.labels, asked.labels_file, asked.classes) == (("a", "b"), None, ("a",))
    assert (asked.score_threshold, asked.label_thresholds) == (0.4, {})
    rear = asked.streams["rear"]
    assert (rear.classes, rear.score_threshold, rear.label_thresholds) == (None, None, {})
    single = naming(None, None, "car=0.1").applied_in(config)
    assert single.label_thresholds == {"person": 0.6, "car": 0.1}
    assert single.streams["rear"].label_thresholds == {"car": 0.1, "dog": 0.2}
    assert single.streams["front"].label_thresholds == {}
    assert naming(None, None, None).applied_in(config) == config


@pytest.mark.parametrize("command", [["run", "no-such-file.mp4"], ["inspect", "nanodet-g"]])
def test_a_class_that_the_model_does_not_have_is_exit_2_and_names_the_nearest(command: list[str]) -> None:
    done = run_program(*command, "--classes", "person,cra")
    assert_one_clear_line(done, 2, "'cra' is none of its 80 labels", 'did you mean "car"?')


def test_inspect_shows_and_stores_what_is_said(tmp_path: Path) -> None:
    path = tmp_path / "mine.onnx"
    shutil.copy(find_model("nanodet-g"), path)
    (tmp_path / "names.txt").write_text("person\n" + "".join(f"thing {i}\n" for i in range(1, 80)))
    said = ("--labels", str(tmp_path / "names.txt"), "--classes", "PERSON,2", "--threshold", "0.3,person=0.5")
    done = run_program("inspect", str(path), *said, "--write")
    assert done.returncode == 0, done.stderr
    rows = {
        line.split("  ")[0].strip(): line
        for line in done.stdout.splitlines()
        if line.rstrip().endswith("given")
    }
    assert set(rows) == {"labels", "thresholds", "of labels", "classes"}
    assert "person, thing 1" in rows["labels"]
    assert "person, thing 2" in rows["classes"]
    spec = Model(path).spec
    assert (spec.labels[1], spec.classes) == ("thing 1", ("person", "thing 2"))
    assert (spec.score_threshold, spec.label_thresholds) == (0.3, {"person": 0.5})


def test_eval_judges_the_classes_that_are_asked_for_alone(tmp_path: Path) -> None:
    data = str(street.write_coco(tmp_path))
    done = run_program("eval", "nanodet-g", data, "--classes", "person", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert list(report["boxes"]["classes"]) == ["person"]
    assert "only those asked for are judged: person" in report["notes"]
    done = run_program("eval", "nanodet-g", data, "--classes", "zebra", "--json")
    assert_one_clear_line(done, 2, "labels none of those asked for, zebra")
