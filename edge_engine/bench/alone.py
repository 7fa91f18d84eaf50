"""Alone: what each stage costs with nothing else running, the yardstick for the whole pipeline."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from msgspec.structs import replace

from edge_engine.bench.report import Alone
from edge_engine.choosing import labels_of
from edge_engine.clock import monotonic_ns, to_ms
from edge_engine.config import Config, OutputsConfig, ZeroMqConfig
from edge_engine.engine import Engine
from edge_engine.errors import SourceError
from edge_engine.ledger import Ledger
from edge_engine.models.forms import forms_of_file
from edge_engine.models.model import Model
from edge_engine.models.providers import Setting
from edge_engine.processor import cores
from edge_engine.ring import RingClosed
from edge_engine.sources import make_source
from edge_engine.stages.record import STAGES
from edge_engine.stages.stage import Stage
from edge_engine.zoo import find_model

_FRAMES = 100
_WARM_UP = 5
_SCALING_RUNS = 40
_TO_NOBODY = OutputsConfig(zeromq=ZeroMqConfig(endpoint="tcp://127.0.0.1:*"))


def model_alone(config: Config, setting: Setting) -> Model:
    """The model on one thread, in the form in which an engine runs it for the first stream."""
    path, labels = find_model(config.model), labels_of(config)
    stream = next(iter(config.streams.values()))

    def load(aspect: tuple[int, int] | None) -> Model:
        return Model(path, replace(setting, threads=1, batch=1), aspect=aspect, labels=labels)

    size = make_source(stream.source, pace=False, loop=False).expected_size()
    return forms_of_file(path, labels, load, trims=config.trim, waits=True, expected=[size]).first


def cpu_ms_alone(config: Config, provider: str) -> dict[str, float]:
    """CPU time per frame of each stage over the first stream's first frames, in milliseconds.

    The engine's own stages, with one worker of one thread, are stepped one after the other in this thread:
    what a frame costs where nobody waits for anybody. Raises SourceError when the source gives no frame.
    """
    name, stream = next(iter(config.streams.items()))
    engine = Engine(_by_itself(config, name, provider), collect=False)
    try:
        spent_ms, published = _step_through(engine.stages, engine.streams[name].ledger)
    finally:
        for stage in engine.stages:
            stage.finish()
        engine.stop()
    if not published:
        raise SourceError(f"{stream.source}: no frame in it to measure with")
    return {stage: ms / published for stage, ms in spent_ms.items()}


def _by_itself(config: Config, stream: str, provider: str) -> Config:
    """The plainest engine that does the same to a frame."""
    return replace(
        config,
        streams={stream: replace(config.streams[stream], pace=False, loop=True)},
        policy="lossless",
        hint="throughput",
        provider=provider,
        workers=1,
        threads=1,
        batch=1,
        frames=_FRAMES + _WARM_UP,
        seconds=None,
        outputs=_TO_NOBODY,
    )


def _step_through(stages: Sequence[Stage], ledger: Ledger) -> tuple[dict[str, float], int]:
    """What each stage spent in all, and on how many frames; those of the warm-up don't count."""
    spent_ms = dict.fromkeys(STAGES, 0.0)
    warm = 0
    try:
        while True:
            for name, stage in zip(STAGES, stages, strict=True):
                started_ns = time.thread_time_ns()
                stage.step()
                spent_ms[name] += to_ms(time.thread_time_ns() - started_ns)
                if not ledger.counts().in_flight:  # dropped here, or published: nothing for the next stage
                    break
            if ledger.counts().captured == _WARM_UP:
                spent_ms, warm = dict.fromkeys(STAGES, 0.0), ledger.counts().published
    except RingClosed:
        return spent_ms, ledger.counts().published - warm


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
