"""Commands: what each does to an engine, and in which thread that shows.

All are carried out by the control thread. It prepares whatever takes time, and then changes what the stages
look at frame by frame in one assignment: `is_paused` (the capture thread), the model in use (the threads that
preprocess), what is asked of a stream (postprocess), the descriptions (publish).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from msgspec.structs import replace

from edge_engine.choosing import Choices
from edge_engine.config import StreamConfig
from edge_engine.control.snapshots import snapshot_of
from edge_engine.errors import RefusedError
from edge_engine.models.lineup import Lineup
from edge_engine.models.names import class_id_of
from edge_engine.state import StreamStatus
from edge_engine.viewfinder import Viewfinder
from edge_engine.wire import (
    Command,
    GetStatistics,
    Pause,
    Resume,
    SetClasses,
    SetThresholds,
    Snapshot,
    Summary,
    TakeSnapshot,
    UseModel,
)

SNAPSHOT_S = 1.0
"""So long a camera may take for the picture."""


class Controls(NamedTuple):
    """What of an engine can be controlled; by the streams' names. `describe` tells subscribers anew."""

    statuses: Mapping[str, StreamStatus]
    viewfinders: Mapping[str, Viewfinder]
    choices: Choices
    models: Lineup
    is_lossless: bool
    describe: Callable[[], None]
    summary: Callable[[], Summary]


class Answer(NamedTuple):
    snapshot: Snapshot | None = None
    statistics: Summary | None = None


_DONE = Answer()


def carry_out(command: Command, engine: Controls) -> Answer:
    """Raises RefusedError or ConfigError, with nothing changed, for what can't be done."""
    match command:
        case Pause():
            return _pause(command, engine)
        case Resume():
            _status(engine, command.stream).is_paused = False
            return _DONE
        case SetThresholds():
            return _change(engine, command.stream, _with_thresholds(command, engine))
        case SetClasses():
            asked = _asked(engine, command.stream)
            return _change(engine, command.stream, replace(asked, classes=command.classes))
        case UseModel():
            return _use_model(command, engine)
        case TakeSnapshot():
            return _take_snapshot(command, engine)
        case GetStatistics():
            return Answer(statistics=engine.summary())


def _pause(command: Pause, engine: Controls) -> Answer:
    status = _status(engine, command.stream)
    if engine.is_lossless:
        raise RefusedError(
            "a lossless engine leaves no frame out; expected one with policy: live, to pause it"
        )
    status.is_paused = True
    return _DONE


def _with_thresholds(command: SetThresholds, engine: Controls) -> StreamConfig:
    asked, labels = _asked(engine, command.stream), engine.models.first.spec.labels
    if command.score_threshold is None and not command.label_thresholds:
        raise RefusedError("nothing to change; expected score_threshold or label_thresholds")
    given = {class_id_of(labels, name) for name in command.label_thresholds}
    kept = {} if command.score_threshold is not None else asked.label_thresholds
    kept = {name: score for name, score in kept.items() if class_id_of(labels, str(name)) not in given}
    score = asked.score_threshold if command.score_threshold is None else command.score_threshold
    return replace(asked, score_threshold=score, label_thresholds={**kept, **command.label_thresholds})


def _change(engine: Controls, stream: str, to: StreamConfig) -> Answer:
    engine.choices.change(stream, to, engine.models.first)
    engine.describe()
    return _DONE


def _use_model(command: UseModel, engine: Controls) -> Answer:
    models = engine.models
    if command.name not in models.forms:
        raise RefusedError(
            f"model {command.name[:100]!r} isn't loaded; expected one of {', '.join(models.forms)}, "
            "or it under standby_models in the configuration"
        )
    engine.choices.carry_over(models.first, models.forms[command.name].first)
    models.name = command.name
    engine.describe()
    return _DONE


def _take_snapshot(command: TakeSnapshot, engine: Controls) -> Answer:
    status = _status(engine, command.stream)
    view = engine.viewfinders[command.stream].take(SNAPSHOT_S)
    if view is None:
        state = f"it is {status.now.state.value}" + (f": {status.now.reason}" if status.now.reason else "")
        raise RefusedError(f"stream {command.stream}: no picture came within {SNAPSHOT_S:g} s; {state}")
    return Answer(snapshot=snapshot_of(view, command.longest_side, command.quality))


def _status(engine: Controls, stream: str) -> StreamStatus:
    if stream not in engine.statuses:
        raise RefusedError(f"there is no stream {stream!r}; expected one of {', '.join(engine.statuses)}")
    return engine.statuses[stream]


def _asked(engine: Controls, stream: str) -> StreamConfig:
    _status(engine, stream)
    return engine.choices.stream(stream, engine.models.first)
