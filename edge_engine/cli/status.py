"""What `run` shows: one live line per stream while it works, and a summary at the end."""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from types import TracebackType

import msgspec
import numpy as np
from numpy.typing import NDArray
from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from edge_engine.cli.screen import in_percent
from edge_engine.clock import NS_PER_S, monotonic_ns
from edge_engine.engine import Engine
from edge_engine.stages.record import STAGES, StreamRecord
from edge_engine.state import StreamState
from edge_engine.summary import Summary

_MOST_TAGS = 5
# Without a terminal, one plain line this often.
_PLAIN_EVERY_NS = 10 * NS_PER_S
_IMPORTED_NS = monotonic_ns()
# Field 22 of proc(5)'s stat, counted from the one after the command's name.
_STARTTIME = 19


@contextmanager
def changes_of_state(screen: Console, *, of_several: bool) -> Iterator[None]:
    """Says meanwhile when a camera stalls, is lost or comes back, or a file can't be written, at the time
    when it does. The failure of an only camera is left to whoever ends the program with it."""
    handler = _OnScreen(screen)
    if not of_several:
        handler.addFilter(lambda record: getattr(record, "state", "") != StreamState.FAILED.value)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    log = logging.getLogger("edge_engine")
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)


class _OnScreen(logging.Handler):
    """Called from the capture threads; the screen takes turns by itself."""

    def __init__(self, screen: Console) -> None:
        super().__init__(logging.INFO)
        self._screen = screen

    def emit(self, record: logging.LogRecord) -> None:
        self._screen.print(escape(self.format(record)))


class StatusLine:
    """fps, latency, drops by cause and objects in view of each stream, over the last few moments."""

    def __init__(self, engine: Engine, screen: Console) -> None:
        self._engine = engine
        self._screen = screen
        self._live = Live(console=screen, auto_refresh=False, transient=True) if screen.is_terminal else None
        self._windows = {name: _Window(record) for name, record in engine.streams.items()}
        self._next_plain_ns = monotonic_ns() + _PLAIN_EVERY_NS
        self._is_first_shown = False
        self._told: set[tuple[str, str]] = set()

    def refresh(self) -> None:
        self._show_first_result()
        self._show_reasons()
        if self._live is not None:
            self._live.update(Group(*self._lines()), refresh=True)
        elif monotonic_ns() >= self._next_plain_ns:
            self._next_plain_ns += _PLAIN_EVERY_NS
            for line in self._lines():
                self._screen.print(line)

    def _lines(self) -> list[Text]:
        return [window.line(name) for name, window in self._windows.items()]

    def _show_first_result(self) -> None:
        """Once: how long it took from the process's start to the first objects."""
        firsts = [record.first_objects_ns for record in self._engine.streams.values()]
        if self._is_first_shown or not any(firsts):
            return
        self._is_first_shown = True
        seconds = (min(first for first in firsts if first) - _process_started_ns()) / NS_PER_S
        self._screen.print(f"first objects {seconds:.2f} s after the process started")

    def _show_reasons(self) -> None:
        """Once per stream and cause: what went wrong."""
        for name, record in self._engine.streams.items():
            for cause, reason in record.ledger.reasons().items():
                if (name, cause) not in self._told:
                    self._told.add((name, cause))
                    self._screen.print(escape(f"{name}: a frame was dropped as {cause}: {reason}"))

    def __enter__(self) -> StatusLine:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()


class _Window:
    """One stream between the last look and this one."""

    def __init__(self, record: StreamRecord) -> None:
        self._record = record
        self._published = 0
        self._latency: NDArray[np.int64] = record.latency.counts()
        self._looked_ns = monotonic_ns()

    def line(self, name: str) -> Text:
        counts = self._record.ledger.counts()
        latency = self._record.latency.percentiles(since=self._latency)
        now_ns = monotonic_ns()
        fps = (counts.published - self._published) * NS_PER_S / max(1, now_ns - self._looked_ns)
        if now_ns - self._looked_ns > 2 * NS_PER_S:
            self._published, self._looked_ns = counts.published, now_ns
            self._latency = self._record.latency.counts()
        dropped = ", ".join(f"{n} {cause}" for cause, n in counts.dropped.items()) or "none"
        status = self._record.status.now
        if status.state is not StreamState.RUNNING:
            since_s = (now_ns - status.since_ns) / NS_PER_S
            state = f"  {status.state.value} for {since_s:.1f} s  {status.reason}  dropped {dropped}"
            return Text.assemble((name, "bold cyan"), (state, "yellow"))
        return Text.assemble(
            (name, "bold cyan"),
            f"  {fps:5.1f} fps  latency p50 {latency.p50:.1f} p99 {latency.p99:.1f} ms  dropped {dropped}  ",
            (_in_view(self._record), "green"),
        )


def _in_view(record: StreamRecord) -> str:
    """3 person, 2 bicycle; of the whole picture: tabby 0.83, tiger cat 0.12, or road 41 %, car 7 %"""
    result = record.last_result
    if result is None:
        return "no result yet"
    if result.segmentation is not None:
        shares = result.segmentation.shares()
        return in_percent({result.labels[class_id]: share for class_id, share in shares.items()})
    if result.tags is not None:
        tags = zip(result.names(), result.tags.scores.tolist(), strict=True)
        shown = [f"{name} {score:.2f}" for name, score in islice(tags, _MOST_TAGS)]
    else:
        shown = [f"{n} {name}" for name, n in Counter(result.names()).most_common()]
    return ", ".join(shown) or "nothing in view"


def _process_started_ns() -> int:
    """When the kernel started this process, on the monotonic clock: also counts Python's own start."""
    try:
        ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[_STARTTIME])
    except OSError:
        return _IMPORTED_NS
    age_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - ticks * NS_PER_S // os.sysconf("SC_CLK_TCK")
    return monotonic_ns() - age_ns


def print_summary(summary: Summary, screen: Console) -> None:
    """The run's counters and timings, one row per stream and one per stage."""
    streams = Table(box=None, pad_edge=False)
    for title in ("stream", "captured", "published", "dropped", "fps", "latency ms p50", "p90", "p99", "max"):
        streams.add_column(title, justify="left" if title in {"stream", "dropped"} else "right")
    stages = Table(box=None, pad_edge=False)
    for title in ("ms per frame, p50 / p99", *STAGES):
        stages.add_column(title, justify="right" if title in STAGES else "left")
    for name, stream in summary.streams.items():
        dropped = ", ".join(f"{n} {cause}" for cause, n in stream.dropped.items()) or "none"
        latency = (f"{ms:.1f}" for ms in msgspec.structs.astuple(stream.latency_ms))
        streams.add_row(
            name, str(stream.captured), str(stream.published), dropped, f"{stream.fps:.1f}", *latency
        )
        stages.add_row(
            name, *(f"{stream.stages_ms[s].p50:.2f} / {stream.stages_ms[s].p99:.2f}" for s in STAGES)
        )
    screen.print(f"ran {summary.seconds:.1f} s with {summary.model} on {summary.provider}")
    screen.print(streams)
    screen.print(stages)
