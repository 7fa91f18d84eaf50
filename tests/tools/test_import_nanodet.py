"""The import script, run again from the npm package: the original's numbers, and the committed file."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest

from edge_engine import zoo
from tests.golden import GOLDEN
from tools import import_nanodet
from tools.importing.entry import write
from tools.importing.goldens import rows_of
from tools.importing.packages import check
from tools.importing.writer import ImportFailed


@pytest.fixture(scope="module")
def float_model(human_models: Path) -> onnx.ModelProto:
    check(human_models, import_nanodet.CHECKSUMS)
    return import_nanodet.import_float(human_models / "models" / "nanodet.json")


def test_the_float_model_says_what_tensorflow_js_says(float_model: onnx.ModelProto) -> None:
    laid = cv2.imread(str(GOLDEN / "nanodet_input.png"))
    assert laid is not None
    session = onnxruntime.InferenceSession(float_model.SerializeToString())
    names = [output.name for output in session.get_outputs()]
    tensor = import_nanodet.normalise(np.asarray(laid, np.uint8))
    outputs = dict(zip(names, session.run(names, {session.get_inputs()[0].name: tensor}), strict=True))
    with np.load(GOLDEN / "nanodet_tfjs.npz") as goldens:
        assert set(goldens) == set(outputs)
        for name in goldens:
            rows = outputs[name][0][rows_of(outputs[name].shape[1])]
            # Measured: 1.5e-5 on distances up to 8, 1.2e-6 on scores.
            np.testing.assert_allclose(rows, goldens[name], rtol=0, atol=1e-4, err_msg=name)


def test_the_graph_is_tidy(float_model: onnx.ModelProto) -> None:
    ops = [node.op_type for node in float_model.graph.node]
    assert {op: ops.count(op) for op in ("Conv", "LeakyRelu", "Concat", "Resize", "Transpose")} == {
        "Conv": 34,
        "LeakyRelu": 28,
        "Concat": 12,
        "Resize": 4,
        "Transpose": 6,
    }


def test_quantizing_again_gives_the_committed_model(float_model: onnx.ModelProto, tmp_path: Path) -> None:
    write(import_nanodet.quantize_model(float_model), tmp_path, "nanodet-g", "")
    (again,) = tmp_path.glob("*.onnx")
    committed = zoo.entries()["nanodet-g"]
    if hashlib.sha256(again.read_bytes()).hexdigest() == committed.sha256:
        return
    # Another version of onnx or onnxruntime may write other bytes; the numbers must not move.
    pixels = np.asarray(cv2.imread(str(GOLDEN / "nanodet_input.png")), np.uint8)[None]
    for one, other in zip(
        onnxruntime.InferenceSession(str(again)).run(None, {"images": pixels}),
        onnxruntime.InferenceSession(str(committed.path)).run(None, {"images": pixels}),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, rtol=0, atol=0.05)


def test_a_damaged_download_is_refused(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    for name in import_nanodet.CHECKSUMS:
        (tmp_path / name).write_bytes(b"{}")
    with pytest.raises(ImportFailed, match="SHA-256"):
        check(tmp_path, import_nanodet.CHECKSUMS)
