"""Outputs of non-maximum suppression in the graph: as many rows as there are objects, anew each time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from edge_engine.config import Config, StreamConfig
from edge_engine.engine import Engine
from edge_engine.errors import ModelError
from edge_engine.models.model import Model
from edge_engine.models.providers import Setting
from edge_engine.slots import Canvas
from edge_engine.stages.preprocess import fill
from tests.models.suppressing import SIDE, Cells, suppressing

CELLS = np.arange(16)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_engine.models.repair.cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr("edge_engine.models.model.load_family", lambda name: Cells)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return suppressing(tmp_path / "x.onnx")


def bright(*cells: int) -> NDArray[np.uint8]:
    """A picture that is white in some of its 4 x 4 cells: each is an object to the model."""
    is_white = np.isin(CELLS, cells).reshape(4, 4)
    return (
        np.kron(is_white, np.full((SIDE // 4, SIDE // 4), 255))[None, ..., None].repeat(3, 3).astype(np.uint8)
    )


def rows(path: Path, tensor: NDArray[np.uint8]) -> list[NDArray[Any]]:
    """What the untouched model gives."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    picture = np.ascontiguousarray(tensor.astype(np.float32).transpose(0, 3, 1, 2)) / np.float32(255)
    found: list[NDArray[Any]] = session.run(None, {"images": picture})
    return found


def test_each_run_gives_an_array_of_its_own_size(path: Path) -> None:
    model = Model(path)
    tensor, outputs = model.new_input(), model.new_outputs()
    binding = model.bind(tensor, outputs)
    for cells in ((3,), (), (0, 5, 9), tuple(CELLS), (15,)):
        tensor[:] = bright(*cells)
        model.run(binding)
        assert binding.outputs is outputs
        assert [output.shape for output in outputs] == [
            (len(cells),),
            (len(cells), 4),
            (len(cells),),
            (1, 16),
        ]
        for mine, expected in zip(outputs, rows(path, tensor), strict=True):
            np.testing.assert_allclose(mine, expected, rtol=1e-5, atol=1e-6)


def test_what_an_earlier_run_gave_stays_as_it_was(path: Path) -> None:
    model = Model(path)
    tensor, outputs = model.new_input(), model.new_outputs()
    binding = model.bind(tensor, outputs)
    tensor[:] = bright(1, 2, 3)
    model.run(binding)
    earlier = outputs[1]
    kept = earlier.copy()
    for _ in range(20):
        tensor[:] = bright(*CELLS)
        model.run(binding)
    np.testing.assert_array_equal(earlier, kept)


def test_outputs_of_a_fixed_size_stay_where_they_are(path: Path) -> None:
    model = Model(path)
    tensor, outputs = model.new_input(), model.new_outputs()
    binding, means = model.bind(tensor, outputs), outputs[3]
    for cells in ((), (0, 1)):
        tensor[:] = bright(*cells)
        model.run(binding)
        assert outputs[3] is means
        np.testing.assert_allclose(means, np.isin(CELLS, cells)[None], atol=1e-6)


def test_a_batch_is_refused_in_one_line(path: Path) -> None:
    with pytest.raises(ModelError) as raised:
        Model(path, Setting(batch=2))
    line = str(raised.value)
    assert "can't take several pictures at once (output labels has another size with each picture)" in line
    assert "\n" not in line


def test_an_output_without_any_shape_counts_as_varying(tmp_path: Path) -> None:
    path = suppressing(tmp_path / "x.onnx")
    model = onnx.load(path)
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    onnx.save(model, path)
    test_each_run_gives_an_array_of_its_own_size(path)


def test_an_engine_publishes_what_the_model_alone_finds(path: Path) -> None:
    stream = StreamConfig(source="test:320x240@30?frames=20", pace=False, max_age_ms=600_000)
    config = Config(streams={"street": stream}, model=str(path), policy="lossless", workers=2)
    with Engine(config, keep_pixels=True) as engine:
        results = list(engine.results())
        engine.wait()
    assert [result.seq for result in results] == list(range(20))
    model = engine.model
    canvas = Canvas(model.new_input())
    for result in results:
        fill(canvas, result.frame, model.spec.input)
        class_ids, boxes, scores, _ = rows(path, canvas.tensor)
        order = np.argsort(-scores, kind="stable")
        np.testing.assert_array_equal(result.objects.class_ids, class_ids[order])
        np.testing.assert_allclose(result.objects.scores, scores[order], atol=1e-5)
        np.testing.assert_allclose(result.objects.boxes_xyxy, boxes[order] * np.tile([320, 240], 2) / SIDE)
    assert len({len(result.objects) for result in results}) > 1, "the number of objects should vary"
