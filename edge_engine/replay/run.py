"""Run: an engine on a recording, its results held against the recorded ones as they come."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from edge_engine.config import Config
from edge_engine.engine import Engine
from edge_engine.ledger import Counts
from edge_engine.outputs.rows import message_of
from edge_engine.replay.comparing import Comparer, Tolerances
from edge_engine.replay.report import FrameDrift, ReplayReport, StreamReport
from edge_engine.replay.survey import RecordedStream, Survey
from edge_engine.wire import DescribeMessage, ResultMessage

_MOST_WORST = 5
_NO_COUNTS = Counts(0, 0, 0, {})


class Drifted(NamedTuple):
    """A frame whose answers differ."""

    drift: FrameDrift
    recorded: ResultMessage
    replayed: ResultMessage


class Replayed(NamedTuple):
    """`worst`: the frames that the report names, the worst first."""

    report: ReplayReport
    worst: list[Drifted]


class StreamReplay:
    """One stream of a replay, result by result. Without `tolerances` nothing is compared."""

    def __init__(
        self, recorded: RecordedStream, replayed: DescribeMessage, tolerances: Tolerances | None
    ) -> None:
        self._recorded = recorded
        self._comparer = None
        if tolerances is not None:
            described = recorded.description or replayed
            is_whole = not recorded.other_results
            self._comparer = Comparer(tolerances, described, replayed, compares_tracks=is_whole)
        self._answers = hashlib.sha256()
        self._kinds: Counter[str] = Counter()
        self._results = self._compared = self._unrecorded = 0
        self._drifted = 0
        self.worst: list[Drifted] = []

    def note(self, number: int, result: ResultMessage) -> None:
        """`number`: the frame's, counted from 0 in the recording."""
        self._results += 1
        self._answers.update(msgspec.json.encode(_answer(result)))
        seq = self._recorded.seqs[number]
        recorded = self._recorded.results.get(seq)
        if recorded is None:
            self._unrecorded += 1
        elif self._comparer is not None:
            self._compared += 1
            found = self._comparer.differences(recorded, result)
            self._kinds.update(each.kind for each in found)
            if found:
                what = [f"{each.kind}: {each.what}" for each in found]
                drift = FrameDrift(result.stream, seq, what, found[0].amount)
                self._drifted += 1
                self.worst = _worst([*self.worst, Drifted(drift, recorded, result)])

    def report(self) -> StreamReport:
        compares = self._comparer is not None
        recorded = self._recorded
        return StreamReport(
            frames=len(recorded.seqs),
            results=self._results,
            recorded_model=recorded.description.model if recorded.description else "",
            answers_sha256=self._answers.hexdigest(),
            compared=self._compared,
            unrecorded=self._unrecorded,
            unanswered=len(recorded.results) - self._compared if compares else 0,
            drifted=self._drifted,
            kinds=dict(self._kinds),
        )


def _answer(result: ResultMessage) -> list[Any]:
    return [result.size, result.model, result.objects, result.tags, result.segmentation]


def replay(
    config: Config, found: Survey, tolerances: Tolerances | None, on_frame: Callable[[], None]
) -> Replayed:
    """`config` is of survey.config_of, changed perhaps. Raises what the engine does."""
    with Engine(config) as engine:
        described = engine.descriptions
        streams = {
            name: StreamReplay(each, described[name], tolerances) for name, each in found.streams.items()
        }
        for result in engine.results():
            streams[result.stream].note(result.seq, message_of(result, _NO_COUNTS))
            on_frame()
    summary = engine.summary()
    reports = {name: each.report() for name, each in streams.items()}
    worst = _worst([each for stream in streams.values() for each in stream.worst])
    report = ReplayReport(
        file=str(found.path),
        session=found.header.session,
        model=summary.model,
        provider=summary.provider,
        seconds=summary.seconds,
        streams=reports,
        has_drifted=_has_drifted(reports) if tolerances is not None else None,
        tolerances=tolerances,
        worst=[each.drift for each in worst],
        broken_at=found.broken_at,
    )
    return Replayed(report, worst)


def _has_drifted(reports: Mapping[str, StreamReport]) -> bool:
    """Also where nothing could be compared: that proves nothing."""
    return any(each.drifted or each.unanswered or not each.compared for each in reports.values())


def _worst(drifted: list[Drifted]) -> list[Drifted]:
    def order(each: Drifted) -> tuple[float, str, int]:
        return -each.drift.amount, each.drift.stream, each.drift.seq

    return sorted(drifted, key=order)[:_MOST_WORST]
