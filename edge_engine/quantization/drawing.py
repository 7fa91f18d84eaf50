"""Drawing: what a model says of a picture, on the picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_engine.models.spec import ModelSpec
from edge_engine.pixels import Image
from edge_engine.result import Answer, Objects, Segmentation

_WIDTH = 480
_MOST_TAGS = 5
_INK = (80, 220, 60)
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def drawn(tensor: NDArray[np.uint8], answer: Answer, spec: ModelSpec, threshold: float) -> bytes:
    """A JPEG of a picture as it lies in the model's input, uint8 [1, height, width, 3]; objects from the
    threshold on."""
    laid = tensor[0] if spec.input.colour == "BGR" else tensor[0, ..., ::-1]
    scale = _WIDTH / laid.shape[1]
    size = (_WIDTH, round(laid.shape[0] * scale))
    image = np.ascontiguousarray(cv2.resize(laid, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    if isinstance(answer, Objects):
        _draw_objects(image, answer, spec, threshold, scale)
    elif isinstance(answer, Segmentation):
        image = _mixed(image, answer)
    else:
        for i in range(min(len(answer), _MOST_TAGS)):
            label = spec.labels[answer.class_ids[i]].partition(",")[0]
            _write(image, f"{label} {answer.scores[i]:.2f}", 6, 20 + 20 * i)
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()


def _draw_objects(image: Image, objects: Objects, spec: ModelSpec, threshold: float, scale: float) -> None:
    for i in np.flatnonzero(objects.scores >= threshold).tolist():
        left, top, right, bottom = (round(float(x)) for x in objects.boxes_xyxy[i] * scale)
        cv2.rectangle(image, (left, top), (right, bottom), _INK, 2)
        _write(image, f"{spec.labels[objects.class_ids[i]]} {objects.scores[i]:.2f}", left, max(top - 4, 12))
        for x, y, score in objects.keypoints[i].tolist() if objects.keypoints is not None else ():
            if score >= threshold:
                cv2.circle(image, (round(x * scale), round(y * scale)), 3, _INK, -1)


def _mixed(image: Image, answer: Segmentation) -> Image:
    """Each class in a colour of its own, half over the picture; class 0 as it is."""
    size = (image.shape[1], image.shape[0])
    cells = cv2.resize(answer.class_ids, size, interpolation=cv2.INTER_NEAREST_EXACT)
    hues = (np.asarray(cells, np.int64) * 47 % 180).astype(np.uint8)
    colours = cv2.cvtColor(
        np.dstack([hues, np.full_like(hues, 200), np.full_like(hues, 255)]), cv2.COLOR_HSV2BGR
    )
    mixed = np.where(np.asarray(cells)[..., None] > 0, image // 2 + colours // 2, image)
    return np.asarray(mixed, np.uint8)


def _write(image: Image, text: str, x: int, y: int) -> None:
    plain = text.encode("ascii", "replace").decode()
    cv2.putText(image, plain, (x, y), _FONT, 0.45, (0, 0, 0), 3, cv2.LINE_AA)
    cv2.putText(image, plain, (x, y), _FONT, 0.45, (255, 255, 255), 1, cv2.LINE_AA)
