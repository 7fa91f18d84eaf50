"""Answers: what a model gave for a picture, checked before anybody acts on it.

A network that has gone wrong gives NaN or infinity; taken as scores, NaN would read as "nothing is there".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_engine.errors import ModelError, one_line
from edge_engine.letterbox import Letterbox
from edge_engine.models.families.family import Decoder
from edge_engine.result import Answer, Segmentation, Tags


class InferenceError(ModelError):
    """The runtime failed on one frame, or what it gave is no answer. A running engine counts the frame."""


def check_numbers(names: Sequence[str], outputs: Sequence[NDArray[Any]]) -> None:
    """InferenceError for NaN or infinity anywhere. Minus infinity may be meant, as that of masked classes is,
    unless there is nothing else."""
    for name, output in zip(names, outputs, strict=True):
        # The largest of values with NaN among them is NaN, and is found sooner than each is looked at.
        if output.dtype.kind == "f" and output.size and not np.isfinite(output.max()):
            count = output.size - np.isfinite(output).sum()
            raise InferenceError(f"of the {output.size} numbers in its output {name}, {count} aren't finite")


def answer_of(
    decoder: Decoder,
    outputs: Sequence[NDArray[Any]],
    thresholds: tuple[float, float],
    box: Letterbox,
    labels: Sequence[str],
) -> Answer:
    """Decoded and in source pixels; `thresholds`: of score and of overlap.

    Raises InferenceError for outputs that aren't as the graph said, and for an answer that makes no sense.
    """
    try:
        answer = decoder(outputs, *thresholds).to_source(box)
    except Exception as error:  # whatever numpy or a kernel says of arrays that it didn't expect
        raise InferenceError(f"its outputs can't be decoded: {one_line(error)}") from None
    fault = _fault(answer, len(labels))
    if fault is not None:
        raise InferenceError(f"its outputs decode to {fault}")
    return answer


def _fault(answer: Answer, labels: int) -> str | None:
    class_ids = answer.class_ids
    if class_ids.size and not (class_ids.min() >= 0 and class_ids.max() < labels):
        return f"class {class_ids.max()}; it has {labels} labels"
    if isinstance(answer, Segmentation):
        return None
    if not np.isfinite(answer.scores).all():
        return "scores that aren't finite"
    if isinstance(answer, Tags):
        return None
    keypoints = answer.keypoints
    is_finite = np.isfinite(answer.boxes_xyxy).all() and (keypoints is None or np.isfinite(keypoints).all())
    return None if is_finite else "places that aren't finite"
