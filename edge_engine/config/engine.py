"""Engine: a whole configuration."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from edge_engine.config.outputs import OutputsConfig
from edge_engine.config.stream import StreamConfig, TrackingConfig
from edge_engine.config.values import CoreList, Endpoint, KeysFolder, ModelName, Share, StreamName
from edge_engine.yaml.struct import LabelName, LabelNames, Names


class ControlConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the engine may be told what to do (control/); the keys' `controllers` may. The rest as in
    ZeroMqConfig."""

    endpoint: Endpoint = "tcp://127.0.0.1:5556"
    keys: KeysFolder | None = None
    insecure: bool = False


class RealtimeConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Linux: the cores that the engine's threads are bound to, and their SCHED_FIFO priority.

    Inference runs one below it, so that it never holds up a camera's stamp. `awake`: no core of the machine
    goes to sleep between frames, which costs power.
    """

    cores: CoreList | None = None
    priority: Annotated[int, Meta(ge=2, le=99)] | None = None
    awake: bool = False


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole engine. `frames` and `seconds` end a run early; None for the rest means: as the model says,
    or as the hint says. `spinning`, `pinned`, `optimisation` and `batch` are those of
    models.providers.Setting; a batch takes pictures of several streams at once. `trim`: the padding of a
    letterbox is left out where the model can do without. `labels`, or `labels_file` with one a line, name the
    model's classes anew; `classes` are the only ones that are published, and `label_thresholds` are scores
    that single ones need, in place of `score_threshold` (models.choice). `tracking: {}` gives objects
    ids, with the defaults; none are given without. `standby_models` are loaded as well, so that `control` can
    switch to them without a gap; what is asked of `model` must make sense for them, but its labels are its
    own."""

    streams: Annotated[
        dict[StreamName, StreamConfig], Meta(min_length=1, description="at least one named stream")
    ]
    model: ModelName = "nanodet-g"
    standby_models: Annotated[tuple[ModelName, ...], Meta(description="a list of models")] = ()
    policy: Literal["live", "lossless"] = "live"
    hint: Literal["auto", "latency", "throughput"] = "auto"
    provider: Annotated[str, Meta(min_length=1, description="auto or a provider's name")] = "auto"
    workers: Annotated[int, Meta(ge=1, le=64)] | None = None
    threads: Annotated[int, Meta(ge=1, le=256)] | None = None
    spinning: bool | None = None
    pinned: bool | None = None
    optimisation: Literal["basic", "extended", "all"] | None = None
    trim: bool = True
    batch: Annotated[int, Meta(ge=1, le=64)] = 1
    labels: Names | None = None
    labels_file: Annotated[str, Meta(min_length=1, description="a text file's path")] | None = None
    classes: LabelNames | None = None
    score_threshold: Share | None = None
    label_thresholds: dict[LabelName, Share] = {}
    iou_threshold: Share | None = None
    tracking: TrackingConfig | None = None
    frames: Annotated[int, Meta(ge=1)] | None = None
    seconds: Annotated[float, Meta(gt=0)] | None = None
    realtime: RealtimeConfig = RealtimeConfig()
    outputs: OutputsConfig = OutputsConfig()
    control: ControlConfig | None = None


def tracking_of(config: Config, stream: StreamConfig | None = None) -> TrackingConfig | None:
    """A stream's own terms, else those of all; None where it isn't tracked."""
    tracking = (stream.tracking if stream is not None else None) or config.tracking
    return tracking if tracking is not None and tracking.enabled else None
