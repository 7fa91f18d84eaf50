"""Assembly: the stages of an engine, and the rings between them.

    street/capture ─▶ street/preprocess ─┐  ┌─▶ infer-0 ─┐
                                         ├──┤            ├─▶ postprocess ─▶ publish ─▶ outputs
    front/capture ──▶ front/preprocess ──┘  └─▶ infer-1 ─┘

Frames are dropped in one place alone, the ring behind a live capture: everything after it is pulled
by the workers, so what they get is the newest there is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from edge_engine.choosing import Choices
from edge_engine.config import CameraConfig, Config, StreamConfig, TrackingConfig
from edge_engine.geometry.camera import CameraGeometry
from edge_engine.ledger import Cause, Ledger
from edge_engine.models.lineup import Lineup
from edge_engine.models.providers import Setting
from edge_engine.outputs.output import Output
from edge_engine.ring import Policy, Ring
from edge_engine.slots import FrameSlot, OutputSlot, ResultSlot, TensorSlot
from edge_engine.sources.source import Source
from edge_engine.stages.capture import Capture
from edge_engine.stages.infer import Infer
from edge_engine.stages.postprocess import Postprocess, StreamTerms
from edge_engine.stages.preprocess import Preprocess
from edge_engine.stages.publish import Publish
from edge_engine.stages.record import StreamRecord
from edge_engine.stages.stage import Stage
from edge_engine.stillness import Stillness
from edge_engine.tracking.tracker import Tracker
from edge_engine.zones.counter import Counter

if TYPE_CHECKING:  # without it, whoever needs it says what to install
    import onnxruntime as ort

AnyRing: TypeAlias = Ring[FrameSlot] | Ring[TensorSlot] | Ring[OutputSlot] | Ring[ResultSlot]

# A live ring holds what is being captured, what is unread and what is being taken.
_LIVE_SLOTS = 3
_LOSSLESS_SLOTS = 4
_RESULT_SLOTS = 4


class Parts(NamedTuple):
    """What an engine has made before its stages. `streams` and `sources` by the streams' names."""

    config: Config
    session: str
    setting: Setting
    streams: Mapping[str, StreamRecord]
    sources: Mapping[str, Source]
    models: Lineup

    @property
    def policy(self) -> Policy:
        return Policy(self.config.policy)


class Assembly(NamedTuple):
    """`stages`, last first: a thread starts when whoever reads from it is there. Ring i of `between` lies
    behind the stage of that number in stages.record.STAGES; of the first kind each stream has one."""

    stages: list[Stage]
    between: list[Sequence[AnyRing]]


def assemble(
    parts: Parts,
    choices: Choices,
    outputs: Sequence[Output],
    run_options: ort.RunOptions,
    *,
    keep_pixels: bool,
) -> Assembly:
    setting, model = parts.setting, parts.models.first
    tensors = _tensor_ring(parts)
    answers: Ring[OutputSlot] = Ring(
        [OutputSlot(model) for _ in range(2 * setting.workers + 1)], producers=setting.workers
    )
    results: Ring[ResultSlot] = Ring([ResultSlot() for _ in range(_RESULT_SLOTS)])
    for record in parts.streams.values():
        record.status.on_change = results.nudge
    frames = {name: _frame_ring(parts.policy, record.ledger) for name, record in parts.streams.items()}
    stages: list[Stage] = [
        Publish(results, outputs, parts.streams, parts.policy),
        Postprocess(choices, answers, results, _terms(parts, choices), parts.policy, parts.session),
    ]
    for worker in range(setting.workers):
        stages.append(Infer(worker, model, tensors, answers, run_options))
    for name in parts.sources:
        stages.append(_preprocess(parts, name, frames[name], tensors, keep_pixels))
        stages.append(_capture(parts, name, frames[name]))
    return Assembly(stages, [list(frames.values()), [tensors], [answers], [results]])


def _capture(parts: Parts, stream: str, output: Ring[FrameSlot]) -> Capture:
    return Capture(stream, parts.sources[stream], output, parts.streams[stream], parts.config.frames)


def _preprocess(
    parts: Parts, stream: str, source: Ring[FrameSlot], output: Ring[TensorSlot], keep_pixels: bool
) -> Preprocess:
    asked, is_live = parts.config.streams[stream], parts.sources[stream].is_live
    stillness = Stillness(asked.still_after_ms if is_live else None)
    return Preprocess(
        stream, parts.models, source, output, parts.streams[stream], stillness, keep_pixels=keep_pixels
    )


def _terms(parts: Parts, choices: Choices) -> dict[str, StreamTerms]:
    asked = choices.all_of(parts.models.first)
    return {
        name: StreamTerms(
            parts.streams[name].ledger,
            stream.max_age_ms,
            Tracker(tracking, asked[name].high) if (tracking := asked[name].tracking) is not None else None,
            _geometry(parts, name, stream.camera),
            _counter(name, stream, asked[name].tracking),
        )
        for name, stream in parts.config.streams.items()
    }


def _counter(name: str, stream: StreamConfig, tracking: TrackingConfig | None) -> Counter | None:
    if not (stream.zones or stream.lines):
        return None
    return Counter(name, stream.zones, stream.lines, tracking.max_lost_ms if tracking is not None else None)


def _geometry(parts: Parts, stream: str, camera: CameraConfig | None) -> CameraGeometry | None:
    if camera is None:
        return None
    labels = parts.models.first.spec.labels
    return CameraGeometry(camera, labels, stream, parts.sources[stream].expected_size())


def _frame_ring(policy: Policy, ledger: Ledger) -> Ring[FrameSlot]:
    if policy is Policy.LOSSLESS:
        return Ring([FrameSlot() for _ in range(_LOSSLESS_SLOTS)])

    def count(slot: FrameSlot) -> None:
        frame, slot.frame = slot.frame, None
        assert frame is not None
        ledger.dropped(frame.seq, Cause.OVERWRITTEN)

    return Ring([FrameSlot() for _ in range(_LIVE_SLOTS)], Policy.LIVE, on_overwrite=count)


def _tensor_ring(parts: Parts) -> Ring[TensorSlot]:
    """Live: pulled, nothing is prepared before a worker is free. Lossless: two ready per worker."""
    streams = len(parts.sources)
    taken = parts.setting.workers * parts.setting.batch
    prefetch = 0 if parts.policy is Policy.LIVE else 2 * taken
    slots = [TensorSlot(parts.models.first) for _ in range(prefetch + taken + streams)]
    return Ring(slots, producers=streams, prefetch=prefetch)
