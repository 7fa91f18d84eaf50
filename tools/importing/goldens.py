"""Goldens for the tests: TensorFlow.js on one picture, and the float model on some street frames."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

import av
import cv2
import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from edge_engine.letterbox import Letterbox
from tests.clip import clip_path
from tests.reference.nanodet import decode_nanodet

TFJS_FRAME = 100
# A few hundred rows of each output are enough to tell a wrong graph, and small enough to keep.
TFJS_ROWS = 120
OBJECT_FRAMES = range(4, 250, 8)
STRIDES = (8, 16, 32)


def rows_of(cells: int) -> NDArray[np.int64]:
    """Which rows of an output are kept: a fixed random choice."""
    return np.sort(np.random.default_rng(0).permutation(cells)[:TFJS_ROWS])


def clip_frames(numbers: list[int]) -> dict[int, NDArray[np.uint8]]:
    """BGR frames of the street clip by number."""
    with av.open(str(clip_path())) as container:
        return {
            number: frame.to_ndarray(format="bgr24")
            for number, frame in enumerate(container.decode(video=0))
            if number in numbers
        }


def tfjs_outputs(model: Path, tensor: NDArray[np.floating]) -> dict[str, NDArray[np.float32]]:
    """What the original graph gives in Node, flat, by its own names of the outputs; needs npm."""
    with tempfile.TemporaryDirectory() as work:
        source, target = Path(work) / "input.f32", Path(work) / "output.json"
        tensor.astype("<f4").tofile(source)
        subprocess.run(["npm", "install", "--silent", "@tensorflow/tfjs"], cwd=work, check=True)
        script = Path(__file__).parent / "tfjs_golden.mjs"
        subprocess.run(["node", script, model.resolve(), source, target], cwd=work, check=True)
        values = json.loads(target.read_text())
    return {name: np.array(numbers, np.float32) for name, numbers in values.items()}


def write_tfjs(
    models: Path, laid: NDArray[np.uint8], tensor: NDArray[np.float32], outputs: dict[str, str], folder: Path
) -> None:
    """Of NanoDet-g, on one picture."""
    values = tfjs_outputs(models / "nanodet.json", tensor)
    kept = {}
    for name, new_name in outputs.items():
        width = 80 if new_name.startswith("scores") else 44
        output = values[name].reshape(-1, width)
        kept[new_name] = output[rows_of(len(output))]
    cv2.imwrite(str(folder / "nanodet_input.png"), laid)
    np.savez_compressed(folder / "nanodet_tfjs.npz", **kept)


def float_objects(
    model: onnx.ModelProto, picture: NDArray[np.uint8], tensor: NDArray[np.float32]
) -> list[dict[str, object]]:
    """What the float model recognises in a picture, by the plain numpy decoding."""
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    outputs = dict(zip(names, session.run(names, {session.get_inputs()[0].name: tensor}), strict=True))
    size = (tensor.shape[3], tensor.shape[2])
    boxes, scores, class_ids = decode_nanodet(outputs, STRIDES, size, score_threshold=0.3, iou_threshold=0.6)
    box = Letterbox.fit((picture.shape[1], picture.shape[0]), size, "centre")
    return [
        {"xyxy": [round(side, 2) for side in xyxy], "score": round(score, 4), "class_id": class_id}
        for xyxy, score, class_id in zip(
            box.to_source(boxes).tolist(), scores.tolist(), class_ids.tolist(), strict=True
        )
    ]
