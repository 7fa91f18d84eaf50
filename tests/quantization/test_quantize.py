"""edge-engine quantize: a model that the engine runs and that says the same, or one line and no file."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import onnx
import pytest
from onnx import TensorProto

from edge_engine.errors import ModelError, SourceError
from edge_engine.models.model import Model
from edge_engine.quantization.quantize import Quantized, quantize
from edge_engine.quantization.report import Quantization
from edge_engine.result import Tags
from edge_engine.sources.folder import load_picture
from edge_engine.zoo import find_model
from tests.cli.program import assert_one_clear_line, run_program
from tests.quantization.nets import LABELS, classifier, pictures


def quantized(path: Path, folder: Path, steps: list[str] | None = None) -> Quantized:
    def note(step: str, done: int, total: int) -> None:
        if steps is not None:
            steps.append(step)

    out = path.with_name("made.onnx")
    return quantize(path, str(folder), out, target="x86", floor=0.97, most=24, on_step=note)


@pytest.fixture(autouse=True)
def _notes_beside_the_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_engine.quantization.notes.cache_folder", lambda: tmp_path / "cache")


def test_the_written_file_is_run_by_the_engine_and_names_the_colours(tmp_path: Path) -> None:
    path, folder = classifier(tmp_path / "colours.onnx"), pictures(tmp_path / "p")
    done = run_program("quantize", str(path), "--calibrate", str(folder), "--json")
    assert done.returncode == 0, done.stderr
    report = msgspec.json.decode(done.stdout, type=Quantization)
    made = tmp_path / "colours-int8.onnx"
    assert Path(report.out) == made
    assert report.agreement.value >= 0.97
    assert report.calibrated == report.judged == 12
    assert report.latency is not None or report.target != "x86"
    model = Model(made)
    assert model.spec.name == "colours-int8"
    assert model.spec.labels == LABELS
    tensor, outputs = model.new_input(), model.new_outputs()
    load_picture(folder / "2.png").resize_into(tensor[0], "RGB")
    model.run(model.bind(tensor, outputs))
    answer = model.decoder(outputs, 0.0, 0.7)
    assert isinstance(answer, Tags)
    assert LABELS[answer.class_ids[0]] == "blue"
    page = made.with_suffix(".html").read_text()
    assert page.count("data:image/jpeg;base64") >= 8
    assert "</svg>" in page
    assert "http" not in page.replace("http-equiv", "")


def test_what_hurts_stays_in_float_and_is_named(tmp_path: Path) -> None:
    path, folder = classifier(tmp_path / "wild.onnx", is_wild=True), pictures(tmp_path / "p")
    made = quantized(path, folder)
    first, second, *others = made.report.layers
    assert {first.name, second.name} == {"widening", "narrowing"}
    assert second.harm > 0.3
    assert max(layer.harm for layer in others) < 0.1
    assert made.report.agreement.value == 1
    assert first.is_float
    weights = {t.name: t.data_type for t in onnx.load_from_string(made.data).graph.initializer}
    assert TensorProto.FLOAT in {kind for name, kind in weights.items() if name == first.name}


def test_below_the_floor_nothing_is_written_and_the_layers_that_hurt_are_named(tmp_path: Path) -> None:
    """Nearly all of the work is theirs, so that leaving them out would leave nothing quantized."""
    path = classifier(tmp_path / "hopeless.onnx", is_wild=True, size=5)
    folder, out = pictures(tmp_path / "p"), tmp_path / "made.onnx"
    done = run_program("quantize", str(path), "--calibrate", str(folder), "--out", str(out))
    assert_one_clear_line(done, 2, "nothing is written", "widening (Conv)", "narrowing (Conv)", "0.97")
    assert not out.exists()
    assert not out.with_suffix(".html").exists()


def test_a_run_that_was_ended_goes_on_where_it_was(tmp_path: Path) -> None:
    path, folder = classifier(tmp_path / "colours.onnx"), pictures(tmp_path / "p")
    steps: list[list[str]] = [[], []]
    first, second = (quantized(path, folder, noted) for noted in steps)
    assert "counting its values" in steps[0]
    assert "counting its values" not in steps[1]
    assert [layer.harm for layer in first.report.layers] == [layer.harm for layer in second.report.layers]


def test_people_read_what_was_reached(tmp_path: Path) -> None:
    path, folder = classifier(tmp_path / "colours.onnx"), pictures(tmp_path / "p")
    done = run_program("quantize", str(path), "--calibrate", str(folder), "--target", "tensorrt")
    assert done.returncode == 0, done.stderr
    assert "same class 1.000" in done.stdout
    assert "calibrated with 12 others" in done.stdout
    assert "ms" not in done.stdout, "nothing is timed for a machine that this one isn't"


def test_what_can_not_be_quantized_is_one_line(tmp_path: Path) -> None:
    folder, path = pictures(tmp_path / "p"), classifier(tmp_path / "colours.onnx")
    with pytest.raises(ModelError, match="quantized already"):
        quantized(find_model("nanodet-g"), folder)
    with pytest.raises(SourceError, match=r"none\.mp4"):
        quantized(path, tmp_path / "none.mp4")
    command = ("quantize", str(path), "--calibrate", str(folder))
    assert_one_clear_line(run_program(*command, "--out", str(path)), 2, "the model itself")
    assert_one_clear_line(run_program(*command, "--target", "z80"), 2, "z80", "x86, arm, tensorrt")


def test_memory_does_not_grow_with_the_pictures(tmp_path: Path) -> None:
    """What is counted of a value has one size, however many pictures were seen."""
    from edge_engine.quantization.histogram import Histogram

    few, many = Histogram(), Histogram()
    few.add(np.ones(10, np.float32))
    for i in range(200):
        many.add(np.full(1000, i, np.float32))
    assert few.counts.nbytes == many.counts.nbytes
