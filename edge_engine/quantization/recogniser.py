"""Recogniser: a model in memory on pictures that lie in its input already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray
from onnx import ModelProto

from edge_engine.clock import monotonic_ns, to_ms
from edge_engine.errors import ModelError, one_line
from edge_engine.models.families import load_family
from edge_engine.models.reading import read_spec
from edge_engine.models.session import plain_options, plain_session
from edge_engine.models.values import metadata_of
from edge_engine.processor import cores
from edge_engine.result import Answer, Objects

_FAILED = -1
# Of a picture; COCO's evaluation counts no more of a class, and masks take much memory.
_MOST_OBJECTS = 100


def open_bytes(model: ModelProto, threads: int | None = None) -> Any:  # noqa: ANN401 - onnxruntime has no types
    """An ONNX Runtime session on the CPU, with all cores unless told otherwise. Raises ModelError."""
    options = plain_options()
    options.intra_op_num_threads = threads or cores()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return plain_session(model.SerializeToString(), options)
    except Exception as error:  # ONNX Runtime raises a type of its own per status code
        raise ModelError(f"ONNX Runtime can't load it: {one_line(error)}") from None


class Recogniser:
    """One thread's; the model's metadata hold its spec."""

    def __init__(self, model: ModelProto, threads: int | None = None) -> None:
        self._session = open_bytes(model, threads)
        self.spec = replace(read_spec(Path("model"), metadata_of(model)), label_thresholds={})
        self._input = self._session.get_inputs()[0].name
        self._names = [output.name for output in self._session.get_outputs()]
        self._decoder: Any = None

    def run(self, tensor: NDArray[np.uint8]) -> Sequence[NDArray[np.generic]]:
        """The outputs of a picture, uint8 [1, height, width, 3]."""
        try:
            outputs: Sequence[NDArray[np.generic]] = self._session.run(self._names, {self._input: tensor})
        except Exception as error:  # ONNX Runtime raises a type of its own per status code
            raise ModelError(f"an inference failed: {one_line(error)}") from None
        return outputs

    def answer(self, tensor: NDArray[np.uint8], score_threshold: float) -> Answer:
        """In pixels of the model's input."""
        outputs = [np.ascontiguousarray(output) for output in self.run(tensor)]
        if self._decoder is None:
            shapes = {name: output.shape for name, output in zip(self._names, outputs, strict=True)}
            self._decoder = load_family(self.spec.family)(self.spec, shapes)
        answer: Answer = self._decoder(outputs, score_threshold, self.spec.iou_threshold)
        return _best(answer) if isinstance(answer, Objects) else answer

    def time_ms(self, tensor: NDArray[np.uint8]) -> float:
        """Of one inference."""
        started_ns = monotonic_ns()
        self.run(tensor)
        return to_ms(monotonic_ns() - started_ns)


def _best(objects: Objects) -> Objects:
    some = slice(_MOST_OBJECTS)
    keypoints, masks = objects.keypoints, objects.masks
    return Objects(
        objects.boxes_xyxy[some],
        objects.scores[some],
        objects.class_ids[some],
        None if keypoints is None else keypoints[some],
        None if masks is None else masks[some].copy(),
    )


def answers(
    model: ModelProto,
    pictures: Sequence[NDArray[np.uint8]],
    score_threshold: float,
    workers: int,
    on_picture: Callable[[int], None] | None = None,
) -> list[Answer]:
    """To each picture, in their order; so many at a time, each on a thread of its own. `on_picture` is told
    how many are done by the thread that calls."""
    workers = min(workers, len(pictures))
    shares = [range(first, len(pictures), workers) for first in range(workers)]
    found: dict[int, Answer] = {}
    done: SimpleQueue[int] = SimpleQueue()

    def work(share: range) -> None:
        try:
            recogniser = Recogniser(model, threads=1)
            for i in share:
                found[i] = recogniser.answer(pictures[i], score_threshold)
                done.put(i)
        except BaseException:
            done.put(_FAILED)
            raise

    with ThreadPoolExecutor(workers, thread_name_prefix="quantize") as pool:
        futures = [pool.submit(work, share) for share in shares]
        for number in range(1, len(pictures) + 1):
            if done.get() == _FAILED:
                break
            if on_picture is not None:
                on_picture(number)
        for future in futures:
            future.result()
    return [found[i] for i in range(len(pictures))]
