"""The import script, run again from the npm package: the committed files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from edge_engine import zoo
from tools.import_human_models import IMPORTS, import_model
from tools.importing.entry import write


@pytest.mark.parametrize("name", IMPORTS)
def test_importing_again_gives_the_committed_model(human_models: Path, name: str, tmp_path: Path) -> None:
    """Its numbers against TensorFlow.js's: tests/zoo/test_models.py."""
    each = IMPORTS[name]
    write(import_model(human_models, each), tmp_path, name, each.description)
    (again,) = tmp_path.glob("*.onnx")
    committed = zoo.entries()[name]
    if hashlib.sha256(again.read_bytes()).hexdigest() == committed.sha256:
        return
    # Another version of onnx or onnxruntime may write other bytes; the numbers must not move.
    size = each.spec.input.width
    pixels = np.random.default_rng(0).integers(0, 256, (1, size, size, 3), np.uint8)
    for one, other in zip(
        onnxruntime.InferenceSession(str(again)).run(None, {"pixels": pixels}),
        onnxruntime.InferenceSession(str(committed.path)).run(None, {"pixels": pixels}),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)
