"""Plots: lines over time and stacked bars, as SVG that a page can hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import floor, log10

_WIDTH, _HEIGHT = 640, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 28, 30
_BAR_HEIGHT, _BAR_STEP, _NAME_WIDTH = 20, 28, 110
COLOURS = ("#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#9c6b4e", "#a463f2")

Points = Sequence[tuple[float, float]]


def lines(title: str, unit: str, series: Mapping[str, Points]) -> str:
    """One line per series over seconds, from 0 up."""
    last = max((x for points in series.values() for x, _ in points), default=1.0) or 1.0
    step = _nice_step(max((y for points in series.values() for _, y in points), default=1.0))
    top = step * 4
    parts = [_text(_LEFT, 16, title, bold=True)]
    for tick in range(5):
        y = _y(tick * step, top)
        parts.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}"/>')
        parts.append(_text(_LEFT - 6, y + 4, f"{tick * step:g}", anchor="end"))
    parts.append(_text(_WIDTH - _RIGHT, _HEIGHT - 8, f"{last:.0f} s", anchor="end"))
    parts.append(_text(_LEFT - 6, 16, unit, anchor="end"))
    for index, (name, points) in enumerate(series.items()):
        colour = COLOURS[index % len(COLOURS)]
        path = " ".join(f"{_x(x, last):.1f},{_y(y, top):.1f}" for x, y in points)
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="1.6" points="{path}"/>')
        if len(series) > 1:
            parts.append(_text(_WIDTH - _RIGHT - 90 * index, 16, name, anchor="end", colour=colour))
    return _svg(_HEIGHT, parts)


def stacked_bars(title: str, rows: Mapping[str, Mapping[str, float]], show: str = "{:.2f}") -> str:
    """One bar per row, its parts one behind the other; the longest fills the width."""
    longest = max((sum(parts.values()) for parts in rows.values()), default=1.0) or 1.0
    scale = (_WIDTH - _NAME_WIDTH - _RIGHT - 50) / longest
    names = list(dict.fromkeys(name for parts in rows.values() for name in parts))
    found = [_text(0, 16, title, bold=True)]
    for index, name in enumerate(reversed(names)):
        colour = COLOURS[(len(names) - 1 - index) % len(COLOURS)]
        found.append(_text(_WIDTH - 130 * index, 16, name, anchor="end", colour=colour))
    for row, (label, parts) in enumerate(rows.items()):
        y, x = _TOP + row * _BAR_STEP, float(_NAME_WIDTH)
        found.append(_text(0, y + 15, label))
        for name, value in parts.items():
            colour, width = COLOURS[names.index(name) % len(COLOURS)], max(0.0, value) * scale
            box = f'x="{x:.1f}" y="{y}" width="{width:.1f}" height="{_BAR_HEIGHT}"'
            found.append(
                f'<rect {box} fill="{colour}"><title>{escape(name)} {show.format(value)}</title></rect>'
            )
            x += width
        found.append(_text(x + 6, y + 15, show.format(sum(parts.values()))))
    return _svg(_TOP + len(rows) * _BAR_STEP + 4, found)


def _nice_step(largest: float) -> float:
    """A quarter of the axis: 1, 2, 2.5 or 5 times a power of ten."""
    raw = max(largest, 1e-9) * 1.05 / 4
    power: float = 10.0 ** floor(log10(raw))
    return next((nice * power for nice in (1, 2, 2.5, 5) if nice * power >= raw), 10 * power)


def _x(value: float, last: float) -> float:
    return _LEFT + value / last * (_WIDTH - _LEFT - _RIGHT)


def _y(value: float, top: float) -> float:
    return _HEIGHT - _BOTTOM - value / top * (_HEIGHT - _TOP - _BOTTOM)


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", bold: bool = False, colour: str = ""
) -> str:
    look = f' text-anchor="{anchor}"' + (' class="bold"' if bold else "")
    look += f' style="fill:{colour}"' if colour else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{look}>{escape(text)}</text>'


def _svg(height: int, parts: Sequence[str]) -> str:
    return f'<svg viewBox="0 0 {_WIDTH} {height}" role="img">{"".join(parts)}</svg>'
