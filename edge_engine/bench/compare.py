"""Compare: two reports as ratios, each with the spread that its own seconds show."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from edge_engine.bench.report import Report

_RESAMPLES = 2000
_SAMPLED = {
    "frames/s": "fps",
    "latency p50 ms": "latency_p50_ms",
    "latency p99 ms": "latency_p99_ms",
    "CPU ms per frame": "cpu_ms_per_frame",
    "memory MB": "rss_mb",
}


class Ratio(NamedTuple):
    """B ÷ A. `low` and `high` hold it in 95 of 100 resamplings of the runs' seconds."""

    what: str
    a: float
    b: float
    ratio: float
    low: float
    high: float


class Comparison(NamedTuple):
    """`differences`: what else isn't the same, so that the ratios may not be the engine's doing."""

    ratios: list[Ratio]
    differences: list[str]


def compare(a: Report, b: Report) -> Comparison:
    ratios = []
    for what, name in _SAMPLED.items():
        of_a = np.array([getattr(sample, name) for sample in a.samples], float)
        of_b = np.array([getattr(sample, name) for sample in b.samples], float)
        if of_a.size and of_b.size and np.median(of_a) > 0:
            ratios.append(_ratio(what, of_a, of_b))
    ratios.append(_single("efficiency", a.efficiency, b.efficiency))
    ratios.append(_single("start-up s", a.start_up_s, b.start_up_s))
    return Comparison(ratios, _differences(a, b))


def _ratio(what: str, a: np.ndarray, b: np.ndarray) -> Ratio:
    """Of the medians, with a percentile bootstrap (Efron 1979) over the seconds."""
    random = np.random.default_rng(0)
    medians_a = np.median(random.choice(a, (_RESAMPLES, a.size)), axis=1)
    medians_b = np.median(random.choice(b, (_RESAMPLES, b.size)), axis=1)
    low, high = np.percentile(medians_b / np.maximum(medians_a, 1e-9), [2.5, 97.5])
    middle_a, middle_b = float(np.median(a)), float(np.median(b))
    return Ratio(what, middle_a, middle_b, middle_b / middle_a, float(low), float(high))


def _single(what: str, a: float, b: float) -> Ratio:
    ratio = b / a if a else float("nan")
    return Ratio(what, a, b, ratio, ratio, ratio)


def _differences(a: Report, b: Report) -> list[str]:
    pairs = {
        "machine": (a.machine.processor, b.machine.processor),
        "cores": (a.machine.cores, b.machine.cores),
        "scenario": (a.subject.scenario, b.subject.scenario),
        "hint": (a.subject.hint, b.subject.hint),
        "source": (sorted(set(a.subject.sources.values())), sorted(set(b.subject.sources.values()))),
        "streams": (len(a.subject.sources), len(b.subject.sources)),
        "model": (f"{a.subject.model} {a.subject.sha256[:8]}", f"{b.subject.model} {b.subject.sha256[:8]}"),
        "setting": (a.subject.setting, b.subject.setting),
    }
    for package in sorted({*a.machine.versions, *b.machine.versions}):
        pairs[package] = (a.machine.versions.get(package, "none"), b.machine.versions.get(package, "none"))
    return [f"{what}: {one} against {other}" for what, (one, other) in pairs.items() if one != other]
