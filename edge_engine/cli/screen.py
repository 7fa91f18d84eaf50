"""The terminal, or what stands in for it: plain lines without colour, and never wrapped."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

_UNWRAPPED = 1000


def make_screen(*, stderr: bool = False) -> Console:
    screen = Console(stderr=stderr, soft_wrap=True, highlight=False)
    if not screen.is_terminal:
        screen.width = _UNWRAPPED
    return screen


def in_percent(shares: Mapping[str, float]) -> str:
    """road 41 %, car 7 %, person <1 %"""
    largest_first = sorted(shares.items(), key=lambda item: -item[1])
    return ", ".join(f"{label} {round(100 * share) or '<1'} %" for label, share in largest_first)


def progress_bar(screen: Console) -> Progress:
    """Shown on a terminal only."""
    columns = TextColumn("{task.description}"), BarColumn()
    return Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal)


@contextmanager
def told_if_slow(screen: Console, what: str, after_s: float = 3.0) -> Iterator[None]:
    """Says what is being waited for, once it has taken that long; on a terminal with a clock."""
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    clock = Progress(*columns, console=screen, transient=True)
    clock.add_task(what)
    timer = threading.Timer(after_s, clock.start if screen.is_terminal else lambda: screen.print(what))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        if screen.is_terminal:
            clock.stop()
