"""The work around an inference as most tutorials write it: OpenCV and numpy, a fresh array at each step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
from numpy.typing import NDArray

from tests.reference.gfl import decode_gfl_reference

SCORE, IOU = 0.25, 0.7
Image = NDArray[np.uint8]
Found = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]


class Task:
    """Prepares pictures for a model and decodes its outputs: `yolo` for a float input, else NanoDet-g."""

    def __init__(self, model: Path) -> None:
        value = onnx.load(model, load_external_data=False).graph.input[0]
        dimensions = [d.dim_value for d in value.type.tensor_type.shape.dim]
        self.is_yolo = value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
        self.input = value.name
        self.side = dimensions[2] if self.is_yolo else dimensions[1]

    def prepare(self, image: Image) -> NDArray[Any]:
        """The model's input, letterboxed."""
        scale = self.side / max(image.shape[:2])
        width, height = round(image.shape[1] * scale), round(image.shape[0] * scale)
        resized = cv2.resize(image, (width, height))
        above, left = (self.side - height) // 2, (self.side - width) // 2
        below, right = self.side - height - above, self.side - width - left
        grey = (114, 114, 114)
        boxed = cv2.copyMakeBorder(resized, above, below, left, right, cv2.BORDER_CONSTANT, value=grey)
        if not self.is_yolo:
            return np.asarray(boxed[None])
        floats = boxed[:, :, ::-1].transpose(2, 0, 1).astype(np.float32) / 255.0
        return np.ascontiguousarray(floats[None])

    def decode(self, outputs: list[NDArray[Any]]) -> Found:
        """Boxes xywh, scores and classes after suppression, in input pixels."""
        boxes, scores, class_ids = self._yolo(outputs[0][0]) if self.is_yolo else self._nanodet(outputs)
        if len(boxes) == 0:
            return boxes, scores, class_ids
        kept = cv2.dnn.NMSBoxesBatched(boxes, scores, class_ids, SCORE, IOU)
        return boxes[kept], scores[kept], class_ids[kept]

    def _yolo(self, output: NDArray[np.float32]) -> Found:
        rows = output.T
        scores, class_ids = rows[:, 4:].max(axis=1), rows[:, 4:].argmax(axis=1)
        is_found = scores >= SCORE
        boxes = rows[is_found, :4].copy()
        boxes[:, :2] -= boxes[:, 2:] / 2
        return boxes, scores[is_found], class_ids[is_found]

    def _nanodet(self, outputs: list[NDArray[np.float32]]) -> Found:
        parts = []
        for stride in (8, 16, 32):
            width = -(-self.side // stride)
            of_stride = [output[0] for output in outputs if output.shape[1] == width * width]
            scores, distances = sorted(of_stride, key=lambda output: -output.shape[1])
            parts.append(decode_gfl_reference(scores, distances, width, stride, SCORE))
        boxes, scores, class_ids = (np.concatenate(part) for part in zip(*parts, strict=True))
        boxes[:, 2:] -= boxes[:, :2]
        return boxes, scores, class_ids
