"""Alone: what each stage costs with nothing else running, the yardstick for the whole pipeline."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

import zmq
from msgspec.structs import replace

from edge_engine.bench.report import Alone
from edge_engine.choosing import Asked, labels_of
from edge_engine.clock import monotonic_ns, to_ms
from edge_engine.config import Config
from edge_engine.errors import SourceError
from edge_engine.frame import Frame
from edge_engine.ledger import Counts
from edge_engine.models.forms import forms_of_file
from edge_engine.models.model import Binding, Model
from edge_engine.models.providers import Setting
from edge_engine.outputs.rows import message_of
from edge_engine.processor import cores
from edge_engine.result import Result
from edge_engine.slots import Canvas
from edge_engine.sources import make_source
from edge_engine.stages.preprocess import fill
from edge_engine.wire import encode
from edge_engine.zoo import find_model

_FRAMES = 100
_SCALING_RUNS = 40


def model_alone(config: Config, setting: Setting) -> Model:
    """The model on one thread, in the form in which an engine runs it for the first stream."""
    path, labels = find_model(config.model), labels_of(config)
    stream = next(iter(config.streams.values()))

    def load(aspect: tuple[int, int] | None) -> Model:
        return Model(path, replace(setting, threads=1, batch=1), aspect=aspect, labels=labels)

    size = make_source(stream.source, pace=False, loop=False).expected_size()
    return forms_of_file(path, labels, load, trims=config.trim, waits=True, expected=[size]).first


def cpu_ms_alone(source: str, model: Model, asked: Asked) -> dict[str, float]:
    """CPU time per frame of each stage, in this thread, over the source's first frames, in milliseconds.

    `model` runs on one thread. Raises SourceError when the source gives no frame.
    """
    frames, capture_ms = _read(source)
    canvas, outputs = Canvas(model.new_input()), model.new_outputs()
    binding = model.bind(canvas.tensor, outputs)
    model.run(binding)
    results: list[Result] = []
    spent_ms = dict.fromkeys(("preprocess", "infer", "postprocess"), 0.0)
    for frame in frames:
        spent_ms["preprocess"] += _cpu_ms(partial(fill, canvas, frame, model.spec.input))
        spent_ms["infer"] += _cpu_ms(partial(model.run, binding))
        spent_ms["postprocess"] += _cpu_ms(partial(_decode, model, asked, binding, frame, results))
    per_frame = {stage: ms / len(frames) for stage, ms in spent_ms.items()}
    return {"capture": capture_ms, **per_frame, "publish": _publish_ms(results)}


def alone(model: Model, parts: list[dict[str, float]]) -> Alone:
    """The mean of several measurements, and how inference scales over the cores."""
    mean = {stage: sum(part[stage] for part in parts) / len(parts) for stage in parts[0]}
    return Alone(mean, scaling(model))


def scaling(model: Model) -> float:
    """The speed of an inference with one running on every core, against one running by itself."""
    return _inference_ms(model, 1) / _inference_ms(model, cores())


def _inference_ms(model: Model, at_once: int) -> float:
    """Mean wall time per inference of so many threads, each with tensors of its own."""
    start = threading.Barrier(at_once)
    took_ms: list[float] = []

    def loop() -> None:
        binding = model.bind(model.new_input(), model.new_outputs())
        model.run(binding)
        start.wait()
        started_ns = monotonic_ns()
        for _ in range(_SCALING_RUNS):
            model.run(binding)
        took_ms.append(to_ms(monotonic_ns() - started_ns) / _SCALING_RUNS)

    threads = [threading.Thread(target=loop) for _ in range(at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(took_ms) / at_once


def _read(uri: str) -> tuple[list[Frame], float]:
    """The source's first frames, and what reading one of them cost."""
    source = make_source(uri, pace=False, loop=False)
    source.open()
    frames: list[Frame] = []
    try:
        started_ns = time.thread_time_ns()
        while len(frames) < _FRAMES and (grab := source.read()) is not None:
            stamps = grab.captured_ns, grab.captured_utc_ns
            frames.append(Frame("alone", len(frames), *stamps, grab.pixels.size, grab.pixels))
        spent_ms = to_ms(time.thread_time_ns() - started_ns)
    finally:
        source.close()
    if not frames:
        raise SourceError(f"{uri}: no frame in it to measure with")
    return frames, spent_ms / len(frames)


def _decode(model: Model, asked: Asked, binding: Binding, frame: Frame, results: list[Result]) -> None:
    spec = model.spec
    box = spec.input.lay(frame.size)
    answer = asked.decoder(binding.outputs, asked.score_threshold, asked.iou_threshold).to_source(box)
    results.append(Result(frame, answer, spec.labels, spec.name, "alone", monotonic_ns()))


def _publish_ms(results: list[Result]) -> float:
    counts = Counts(len(results), len(results), 0, {})
    with zmq.Context() as context, context.socket(zmq.XPUB) as socket:
        socket.bind("tcp://127.0.0.1:*")

        def publish() -> None:
            for result in results:
                socket.send(encode(message_of(result, counts)))

        return _cpu_ms(publish) / len(results)


def _cpu_ms(work: Callable[[], object]) -> float:
    started_ns = time.thread_time_ns()
    work()
    return to_ms(time.thread_time_ns() - started_ns)
