"""Plan: what the engine aims at, and how it runs the model for that: the hint, and what was tuned.

What the configuration says itself wins over both.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from edge_engine.config import Config
from edge_engine.models.providers import Setting
from edge_engine.processor import cores
from edge_engine.tuning import Goal, load_tuning


class Plan(NamedTuple):
    """`is_tuned`: a stored measurement of this model on this device was used."""

    goal: Goal
    setting: Setting
    is_tuned: bool


def make_plan(config: Config, model: Path) -> Plan:
    """`hint: auto` aims at latency for one live stream, at throughput for several or for every frame."""
    goal = goal_of(config)
    tuned = _tuned(config, model, goal) if config.hint == "auto" else None
    found = tuned or plain_setting(goal, _available(config))
    setting = Setting(
        provider=found.provider if config.provider == "auto" else config.provider,
        workers=config.workers or found.workers,
        threads=config.threads or found.threads,
        spinning=found.spinning if config.spinning is None else config.spinning,
        pinned=found.pinned if config.pinned is None else config.pinned,
        optimisation=config.optimisation or found.optimisation,
        batch=config.batch,
    )
    return Plan(goal, setting, tuned is not None)


def goal_of(config: Config) -> Goal:
    if config.hint != "auto":
        return config.hint
    return "latency" if config.policy == "live" and len(config.streams) == 1 else "throughput"


def plain_setting(goal: Goal, available: int) -> Setting:
    """Untuned: one worker with all cores for latency, one thread each for throughput."""
    workers, threads = (available, 1) if goal == "throughput" else (1, available)
    return Setting(workers=workers, threads=threads, pinned=max(workers, threads) > 1)


def _tuned(config: Config, model: Path, goal: Goal) -> Setting | None:
    """None where it was not measured: with some of the cores only, or with another provider."""
    if _available(config) != cores():
        return None
    tuning = load_tuning(model)
    best = tuning.best.get(goal) if tuning else None
    return best if best and config.provider in ("auto", best.provider) else None


def _available(config: Config) -> int:
    return len(set(config.realtime.cores or ())) or cores()
