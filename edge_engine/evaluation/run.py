"""Run: a model over many pictures, one on each core at a time, with what each thread needs for itself."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

import cv2
from msgspec.structs import replace

from edge_engine.errors import CorruptFrameError, DataError, ModelError
from edge_engine.evaluation.datasets import Picture
from edge_engine.frame import Frame
from edge_engine.models.answers import InferenceError, answer_of
from edge_engine.models.model import Model
from edge_engine.result import Answer
from edge_engine.slots import Canvas
from edge_engine.sources.folder import load_picture
from edge_engine.stages.preprocess import fill

T = TypeVar("T")
_AHEAD = 2


def answers(
    model: Model,
    pictures: Iterable[Picture],
    look: Callable[[Picture, tuple[int, int], Answer], T],
    score_threshold: float,
) -> Iterator[T]:
    """What `look` makes of each picture, its size (width, height) and its answer, in the pictures' order.

    `look` is called by the threads that infer. Pictures are read as stored, without their EXIF orientation.
    Raises DataError for a picture that can't be read.
    """
    cv2.setNumThreads(1)
    workers = model.setting.workers
    free: SimpleQueue[_Worker] = SimpleQueue()
    for _ in range(workers):
        free.put(_Worker(model, score_threshold))

    def work(picture: Picture) -> T:
        worker = free.get()
        try:
            return look(picture, *worker.answer(picture.path))
        finally:
            free.put(worker)

    waiting: deque[Future[T]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="eval")
    try:
        for picture in pictures:
            waiting.append(pool.submit(work, picture))
            if len(waiting) > _AHEAD * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


class _Worker:
    """The arrays and the decoder of one thread at a time; preprocessing is the engine's own."""

    def __init__(self, model: Model, score_threshold: float) -> None:
        self._model = model
        self._canvas = Canvas(model.new_input())
        self._binding = model.bind(self._canvas.tensor, model.new_outputs())
        self._score_threshold = score_threshold
        # A label's own threshold would hide what the curve of precision over recall is drawn from.
        self._decoder = model.new_decoder(replace(model.spec, label_thresholds={}, classes=()))

    def answer(self, path: Path) -> tuple[tuple[int, int], Answer]:
        """The picture's size, and the answer in its pixels."""
        spec = self._model.spec
        try:
            pixels = load_picture(path)
            fill(self._canvas, Frame("eval", 0, 0, 0, pixels.size, pixels), spec.input)
        except CorruptFrameError as error:
            raise DataError(_named(path, error)) from None
        try:
            self._model.run(self._binding)
            thresholds, box = (self._score_threshold, spec.iou_threshold), spec.input.lay(pixels.size)
            answer = answer_of(self._decoder, self._binding.outputs, thresholds, box, spec.labels)
        except InferenceError as error:
            raise ModelError(f"{self._model.path}: its inference on {path} failed: {error}") from None
        return pixels.size, answer


def _named(path: Path, error: CorruptFrameError) -> str:
    """Reading names the file, decoding can't."""
    return str(error) if str(error).startswith(str(path)) else f"{path}: {error}"
