"""Engine: what a configuration describes, built (assembly.py), started, watched and stopped."""

from __future__ import annotations

import gc
import threading
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from types import TracebackType

import cv2

from edge_engine import kernels
from edge_engine.assembly import AnyRing, Parts, assemble
from edge_engine.choosing import Choices
from edge_engine.clock import NS_PER_S, monotonic_ns
from edge_engine.config import Config
from edge_engine.control.commands import Controls, carry_out
from edge_engine.control.service import ControlService
from edge_engine.describing import describe
from edge_engine.errors import ConfigError, SourceError
from edge_engine.loading import load_models
from edge_engine.models.model import Model
from edge_engine.models.session import new_run_options
from edge_engine.outputs import open_outputs
from edge_engine.outputs.collector import Collector
from edge_engine.outputs.output import Circumstances
from edge_engine.pixels import Image
from edge_engine.placement import Placement
from edge_engine.plan import make_plan
from edge_engine.processor import allowed_cores
from edge_engine.result import Result
from edge_engine.ring import Policy
from edge_engine.scheduling import Scheduling, keep_awake
from edge_engine.sources import make_source
from edge_engine.sources.live import Patience
from edge_engine.sources.push import PushSource
from edge_engine.stages.infer import Infer
from edge_engine.stages.record import STAGES, StreamRecord
from edge_engine.stages.stage import StageThread
from edge_engine.state import StreamStatus
from edge_engine.summary import StageActivity, Summary, summarise
from edge_engine.tuning import Goal
from edge_engine.zoo import find_model

# How long `stop` lets the frames in flight finish before it gives them up.
_DRAIN_S = 1.0
_ABORT_S = 0.5
_LOOK_S = 0.5


class Engine:
    """One run: started once, stopped once. `with Engine(config) as engine: for r in engine.results(): …`

    `collect=False` when nobody will iterate over `results` (lossless would wait for that for ever).
    `keep_pixels=True` leaves each result its picture: `result.frame.bgr()`.
    Raises ConfigError, ModelError or ProviderError when built; what a stage dies of, `wait` and `results`
    raise. `stages` are in the order in which a frame meets them; once started, only their threads step them.
    """

    def __init__(self, config: Config, *, collect: bool = True, keep_pixels: bool = False) -> None:
        self.config = config
        self.session = uuid.uuid4().hex[:12]
        self.streams = {name: StreamRecord(StreamStatus(name)) for name in config.streams}
        cv2.setNumThreads(1)
        kernels.warm_up()
        self.plan = make_plan(config, find_model(config.model))
        self.workers = self.plan.setting.workers
        self._sources = {
            name: make_source(
                stream.source,
                pace=stream.pace,
                loop=stream.loop,
                patience=Patience(stream.open_deadline_ms, stream.frame_deadline_ms, stream.reconnect),
                status=self.streams[name].status,
            )
            for name, stream in config.streams.items()
        }
        scheduling, for_model = _scheduling(config, self.plan.goal)
        expected = [source.expected_size() for source in self._sources.values()]
        with scheduling.applied():
            self.models = load_models(config, self.plan.setting, expected, for_model.applied)
        with scheduling.applied(), for_model.applied():
            split = self.model.setting.split(allowed_cores())
        self._choices = Choices(config, [forms.first for forms in self.models.forms.values()])
        self.descriptions = describe(config, self.session, self._choices, self.model)
        for_inference = replace(for_model, cores=tuple(split[0])) if split else for_model
        self._wakefulness = keep_awake() if config.realtime.awake else None
        self._policy = Policy(config.policy)
        self._run_options = new_run_options()
        self._collector = Collector(self._policy) if collect else None
        with scheduling.applied():  # the threads that ZeroMQ starts for itself inherit it
            self.outputs = open_outputs(Circumstances(config, self.descriptions, self.session))
        if self._collector is not None:
            self.outputs.append(self._collector)
        parts = Parts(config, self.session, self.plan.setting, self.streams, self._sources, self.models)
        keep_pixels = keep_pixels or config.outputs.need_pixels
        built = assemble(parts, self._choices, self.outputs, self._run_options, keep_pixels=keep_pixels)
        self._between = built.between
        self._threads = [
            StageThread(stage, for_inference if isinstance(stage, Infer) else scheduling, self._on_end)
            for stage in built.stages
        ]
        self.stages = built.stages[::-1]
        allowed = list(config.realtime.cores) if config.realtime.cores else allowed_cores()
        self._placement = Placement(self.model.setting, allowed, self._threads)
        self._watcher = threading.Thread(target=self._watch, name="watch", daemon=True)
        self._running = len(self._threads)
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._started_ns = 0
        self._ended_ns = 0

        self.control = self._open_control()

    def _open_control(self) -> ControlService | None:
        if self.config.control is None:
            return None
        controls = Controls(
            statuses={name: record.status for name, record in self.streams.items()},
            viewfinders={name: record.viewfinder for name, record in self.streams.items()},
            choices=self._choices,
            models=self.models,
            is_lossless=self._policy is Policy.LOSSLESS,
            describe=self._describe_anew,
            summary=self.summary,
        )
        try:
            return ControlService(self.config.control, partial(carry_out, engine=controls))
        except ConfigError:
            self._close_unstarted()
            raise

    def _describe_anew(self) -> None:
        """Outputs hold this very mapping, and see what is replaced in it."""
        self.descriptions.update(describe(self.config, self.session, self._choices, self.model))

    @property
    def model(self) -> Model:
        """The one in use, in the form that was made first."""
        return self.models.first

    def push(self, stream: str, picture: Image | bytes | None, captured_ns: int | None = None) -> None:
        """A picture for a stream whose source is `push:`; None ends it. Called from any thread.

        uint8 [height, width, 3] in BGR, which is copied, or a JPEG's bytes; captured now, or at `captured_ns`
        of CLOCK_MONOTONIC. A lossless engine lets the caller wait; a live one never does. Raises ValueError.
        """
        source = self._sources.get(stream)
        if not isinstance(source, PushSource):
            pushed = [name for name, each in self._sources.items() if isinstance(each, PushSource)]
            raise ValueError(f"stream {stream!r} has no source push:; those that have: {pushed}")
        if picture is None:
            source.end()
        else:
            source.push(picture, captured_ns, waits=self._policy is Policy.LOSSLESS)

    def start(self) -> None:
        # What start-up left behind stays: collections during the run need not walk over it.
        gc.collect()
        gc.freeze()
        self._started_ns = monotonic_ns()
        for thread in self._threads:
            thread.start()
        self._watcher.start()

    def _watch(self) -> None:
        while not self._stopping.wait(_LOOK_S):
            self._placement.look()

    def _on_end(self, thread: StageThread) -> None:
        """Called by each stage's thread at its end; one that died ends all others, a camera its own stream
        alone.
        """
        try:
            if _is_fatal(thread):
                self._abort()
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def _abort(self) -> None:
        for source in self._sources.values():
            source.interrupt()
        self._run_options.terminate = True
        for rings in self._between:
            for ring in rings:
                ring.abort()
        if self._collector is not None:
            self._collector.leave()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Whether every stream has ended within the time. Raises what a stage or, in the end, a stream died
        of.
        """
        with self._changed:
            ended = self._changed.wait_for(
                lambda: self._running == 0 or any(map(_is_fatal, self._threads)), timeout_s
            )
        if ended:
            self._raise_error()
        return bool(ended)

    def _error(self) -> Exception | None:
        """What ended the engine, before what ended a stream alone."""
        died = [thread for thread in self._threads if thread.error is not None]
        return max(died, key=_is_fatal).error if died else None

    def _raise_error(self) -> None:
        error = self._error()
        if error is not None:
            raise error

    def stop(self) -> None:
        """End every stream, let what is in flight finish, and settle the ledgers; safe to call again.

        Takes at most 1.5 s: a stage that hangs is abandoned, its frames are counted as `shutdown`.
        """
        if self._ended_ns:
            return
        self._stopping.set()
        for record in self.streams.values():
            record.viewfinder.close()
        if self.control is not None:
            self.control.close()
        for source in self._sources.values():
            source.interrupt()
        if self._collector is not None:
            self._collector.leave()
        if not self._started_ns:
            self._close_unstarted()
        elif not self._join(_DRAIN_S):
            self._abort()
            self._join(_ABORT_S)
        self.models.close()
        for record in self.streams.values():
            record.ledger.seal()
        if self._wakefulness is not None:
            self._wakefulness.close()
        self._ended_ns = monotonic_ns()

    def _join(self, timeout_s: float) -> bool:
        deadline_ns = monotonic_ns() + int(timeout_s * NS_PER_S)
        return all(
            thread.join(max(0.0, (deadline_ns - monotonic_ns()) / NS_PER_S)) for thread in self._threads
        )

    def _close_unstarted(self) -> None:
        for output in self.outputs:
            output.close()

    def results(self) -> Iterator[Result]:
        """Each result as it is published, until the streams end. One thread iterates."""
        if self._collector is None:
            raise ValueError("this engine was made with collect=False: it keeps no results")
        yield from self._collector.results()
        self._raise_error()

    def has_captured(self) -> bool:
        """Whether any source has opened and delivered a frame."""
        return any(record.ledger.counts().captured for record in self.streams.values())

    def activity(self) -> dict[str, StageActivity]:
        """What each stage's threads did since the start."""
        reads: list[Sequence[AnyRing]] = [[], *self._between]
        writes = [*self._between, []]
        return {
            stage: StageActivity(
                threads=sum(1 for thread in self._threads if thread.stage == stage),
                cpu_ns=sum(thread.cpu_ns for thread in self._threads if thread.stage == stage),
                waited_for_input_ns=sum(ring.waited_for_items_ns for ring in reads[i]),
                waited_for_room_ns=sum(ring.waited_for_room_ns for ring in writes[i]),
            )
            for i, stage in enumerate(STAGES)
        }

    def summary(self) -> Summary:
        """What happened so far, or in the whole run once stopped."""
        seconds = (
            ((self._ended_ns or monotonic_ns()) - self._started_ns) / NS_PER_S if self._started_ns else 0.0
        )
        return summarise(self.streams, self.model.spec.name, self.model.setting.provider, seconds)

    def __enter__(self) -> Engine:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _is_fatal(thread: StageThread) -> bool:
    """Whether it died of something that concerns more than its own stream: what is wrong with a camera, or
    how it was asked for, does not."""
    is_streams_own = thread.stage == "capture" and isinstance(thread.error, (SourceError, ConfigError))
    return thread.error is not None and not is_streams_own


def _scheduling(config: Config, goal: Goal) -> tuple[Scheduling, Scheduling]:
    """Of the stages around the inference, and of the inference, which gives way to them."""
    pinned, priority = config.realtime.cores, config.realtime.priority
    around = Scheduling(pinned, priority, is_batch=goal == "throughput")
    return around, replace(around, priority=priority and priority - 1)
