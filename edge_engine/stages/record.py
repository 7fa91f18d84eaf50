"""StreamRecord: what there is to know of one stream while it runs, and of how it went."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge_engine.clock import NS_PER_MS, NS_PER_S
from edge_engine.counting import Event
from edge_engine.histogram import Histogram
from edge_engine.ledger import Ledger
from edge_engine.result import Result
from edge_engine.state import StreamStatus
from edge_engine.viewfinder import Viewfinder

STAGES = ("capture", "preprocess", "infer", "postprocess", "publish")
# What takes so long, and so many times as long as usual, is a stage that hangs. Until there is a usual time,
# a model may take longer: it is its first frame.
_HANGS_AFTER_NS, _HANGS_AFTER_TIMES = 800 * NS_PER_MS, 4
_HANGS_AT_FIRST_NS = 5 * NS_PER_S


@dataclass(slots=True)
class StreamRecord:
    """A stream's state, ledger and timings. The publish thread writes the timings; anybody may read.
    `unsent_events`: of results that were stale; the next one that isn't takes them along.
    """

    status: StreamStatus
    ledger: Ledger = field(default_factory=Ledger)
    viewfinder: Viewfinder = field(default_factory=Viewfinder)
    latency: Histogram = field(default_factory=Histogram)
    stages: dict[str, Histogram] = field(default_factory=lambda: {name: Histogram() for name in STAGES})
    first_published_ns: int = 0
    first_objects_ns: int = 0
    last_published_ns: int = 0
    last_result: Result | None = None
    unsent_events: tuple[Event, ...] = ()

    def hangs(self) -> bool:
        """Whether some stage hangs: then the stream has no heartbeat."""
        stuck_ns = self.ledger.stuck_ns()
        if stuck_ns < _HANGS_AFTER_NS:
            return False
        return stuck_ns >= (_HANGS_AFTER_TIMES * self._usual_ns() or _HANGS_AT_FIRST_NS)

    def _usual_ns(self) -> float:
        """A frame's latency, or the time from one result to the next, whichever is longer."""
        results = self.ledger.counts().published
        between_ns = (self.last_published_ns - self.first_published_ns) / max(1, results - 1)
        return max(self.latency.percentiles().p50 * NS_PER_MS, between_ns)
