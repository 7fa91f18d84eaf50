"""The terminal, or what stands in for it: plain lines without colour, and never wrapped."""

from __future__ import annotations

from rich.console import Console

_UNWRAPPED = 1000


def make_screen(*, stderr: bool = False) -> Console:
    screen = Console(stderr=stderr, soft_wrap=True, highlight=False)
    if not screen.is_terminal:
        screen.width = _UNWRAPPED
    return screen
