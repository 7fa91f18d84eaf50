"""Report: what a replay did, and what it says otherwise than the recording; `replay --json` prints it."""

from __future__ import annotations

import msgspec

from edge_engine.replay.comparing import Tolerances


class FrameDrift(msgspec.Struct, frozen=True):
    """`seq` as recorded; `what`, the worst first; `amount` of that, 0..1."""

    stream: str
    seq: int
    what: list[str]
    amount: float


class StreamReport(msgspec.Struct, frozen=True):
    """`frames` in the recording, of which so many were `compared`. `unrecorded`: those whose result isn't in
    the recording; `unanswered`: those that gave one there, and none now. `drifted`: frames that differ;
    `kinds`: how many differences of each kind. `answers_sha256`: of all that was recognised, without any
    stamp: equal on equal answers."""

    frames: int
    results: int
    recorded_model: str
    answers_sha256: str
    compared: int = 0
    unrecorded: int = 0
    unanswered: int = 0
    drifted: int = 0
    kinds: dict[str, int] = {}


class ReplayReport(msgspec.Struct, frozen=True):
    """`has_drifted`: null where nothing was compared. `worst`: at most a few frames. `broken_at`: the byte at
    which the recording ends without a proper end."""

    file: str
    session: str
    model: str
    provider: str
    seconds: float
    streams: dict[str, StreamReport]
    has_drifted: bool | None = None
    tolerances: Tolerances | None = None
    worst: list[FrameDrift] = []
    broken_at: int | None = None
