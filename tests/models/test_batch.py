"""Batches: a graph for one picture takes several, and each gets the answer that it gets alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from edge_engine.errors import ModelError
from edge_engine.models.model import Model
from edge_engine.models.providers import Setting
from edge_engine.zoo import find_model
from tests.models.exported import exported


def answers(model: Model, pictures: np.ndarray) -> list[np.ndarray]:
    outputs = [output[: len(pictures)] for output in model.new_outputs()]
    model.run(model.bind(pictures, outputs))
    return outputs


@pytest.mark.parametrize("count", [1, 2, 4])
def test_the_bundled_model_answers_each_picture_of_a_batch_as_it_does_alone(count: int) -> None:
    path = find_model("nanodet-g")
    single, batched = Model(path), Model(path, Setting(batch=4))
    pictures = np.random.default_rng(count).integers(0, 256, (count, 416, 416, 3), np.uint8)
    together = answers(batched, pictures)
    for row in range(count):
        for alone, of_all in zip(answers(single, pictures[row : row + 1]), together, strict=True):
            np.testing.assert_allclose(of_all[row], alone[0], atol=1e-5)


def test_a_model_as_exported_for_one_picture_takes_several(tmp_path: Path) -> None:
    path = exported(tmp_path / "one.onnx")
    single, batched = Model(path), Model(path, Setting(batch=3))
    assert batched.new_batch().shape == (3, 64, 64, 3)
    pictures = np.random.default_rng(3).integers(0, 256, (3, 64, 64, 3), np.uint8)
    (together,) = answers(batched, pictures)
    for row in range(3):
        (alone,) = answers(single, pictures[row : row + 1])
        np.testing.assert_allclose(together[row], alone[0], rtol=1e-4, atol=1e-4)


def test_a_graph_that_mixes_its_pictures_is_refused_in_one_line(tmp_path: Path) -> None:
    path = exported(tmp_path / "mixed.onnx")
    model = onnx.load(path)
    model.graph.initializer.append(numpy_helper.from_array(np.array([0], np.int64), "first"))
    model.graph.node[-1].CopyFrom(
        helper.make_node("ReduceMean", ["features"], ["mean"], axes=[0], keepdims=1)
    )
    (reshape,) = [node for node in model.graph.node if node.op_type == "Reshape"]
    model.graph.node.remove(reshape)
    model.graph.node.extend(
        [
            helper.make_node("Sub", ["same", "mean"], ["compared"]),
            helper.make_node("Add", ["compared", "features"], ["all"]),
            helper.make_node("Reshape", ["all", "shape"], ["output0"]),
        ]
    )
    onnx.save(model, path)
    Model(path)
    with pytest.raises(ModelError, match=r"can't take several pictures at once .*leave out `batch`"):
        Model(path, Setting(batch=2))
