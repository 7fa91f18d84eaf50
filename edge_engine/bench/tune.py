"""Tune: measures the ways in which this device can run a model, in turns, and finds the best for each goal.

Every round measures all that are left; after each, those that are clearly beaten are left out.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
from msgspec.structs import replace

from edge_engine.bench.measure import Run, run_subject
from edge_engine.bench.scenario import configure
from edge_engine.clock import NS_PER_S, to_ms
from edge_engine.config import Config
from edge_engine.errors import ProviderError
from edge_engine.models.providers import Optimisation, Setting
from edge_engine.plan import plain_setting
from edge_engine.tuning import Goal

SCENARIOS: dict[Goal, str] = {"latency": "single-stream", "throughput": "offline"}
UNITS: dict[Goal, str] = {"latency": "ms p90", "throughput": "frames/s"}

_LAYOUTS: tuple[Optimisation, ...] = ("all", "extended", "basic")
_WARMUP_S = 0.5
# Clearly beaten: so much worse than the best. Turns of 2 s differ by a few per cent among themselves.
_BEATEN = 0.15
_AS_GOOD = 0.05


@dataclass(slots=True)
class Trial:
    """One setting's measurements for one goal, one per round; `failure` says why it can't run here."""

    goal: Goal
    setting: Setting
    values: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    failure: str | None = None

    @property
    def value(self) -> float:
        """The median of the rounds, in UNITS."""
        return statistics.median(self.values)

    def loss(self, best: Trial) -> float:
        """What choosing this in place of the best would cost: 0.25 is a quarter slower."""
        if self.goal == "latency":
            return self.value / best.value - 1
        return 1 - self.value / best.value


def settings(providers: Sequence[str], cores: int) -> list[Setting]:
    """All that is worth a try: no more threads in all than cores; only helping threads spin, and one thread
    by itself is not pinned.

    What runs on another processor needs no more than one thread here, and has no layouts of ours.
    """
    counts = sorted({1, 2, max(1, cores // 2), cores} & set(range(1, cores + 1)))
    shapes = [
        (workers, threads) for workers, threads in product(counts, counts) if workers * threads <= cores
    ]
    found = []
    for provider in providers:
        is_cpu = provider == "cpu"
        for (workers, threads), layout in product(shapes, _LAYOUTS if is_cpu else _LAYOUTS[:1]):
            spins = (False, True) if is_cpu and threads > 1 else (False,)
            pins = (False, True) if is_cpu and max(workers, threads) > 1 else (False,)
            for spinning, pinned in product(spins, pins):
                found.append(
                    Setting(
                        provider=provider,
                        workers=workers,
                        threads=threads,
                        spinning=spinning,
                        pinned=pinned,
                        optimisation=layout,
                    )
                )
    return found


def tune(
    config: Config,
    goals: Sequence[Goal],
    tried: Sequence[Setting],
    rounds: int,
    seconds: float,
    on_turn: Callable[[str, int, int], None],
) -> list[Trial]:
    """All trials, each goal's best first. `on_turn` is told what is measured, as which of how many.

    `config` tells the model and the source. Raises what no setting at all could be started with.
    """
    trials = [Trial(goal, setting) for goal in goals for setting in tried]
    for turn in range(rounds):
        left = [trial for goal in goals for trial in _contenders(trials, goal, turn)]
        for i, trial in enumerate(left):
            on_turn(f"round {turn + 1} of {rounds}, {trial.goal}: {trial.setting}", i, len(left))
            _measure(trial, config, seconds)
        for goal in goals:
            _raise_if_none_runs([trial for trial in trials if trial.goal == goal])
    return [trial for goal in goals for trial in ranked(trials, goal)]


def ranked(trials: Sequence[Trial], goal: Goal) -> list[Trial]:
    """The best first, those that can't run last."""
    ours = [trial for trial in trials if trial.goal == goal]
    running = [trial for trial in ours if trial.values]
    running.sort(key=lambda trial: trial.value, reverse=goal == "throughput")
    return running + [trial for trial in ours if not trial.values]


def winner(trials: Sequence[Trial], goal: Goal) -> Trial:
    """Of those that are as good as the best, the one that takes the least CPU time."""
    order = ranked(trials, goal)
    good = [trial for trial in order if trial.values and trial.loss(order[0]) <= _AS_GOOD]
    return min(good, key=lambda trial: statistics.median(trial.cpu_ms))


def plain_trial(trials: Sequence[Trial], goal: Goal, cores: int) -> Trial | None:
    """That of the untuned setting, on the CPU."""
    plain = replace(plain_setting(goal, cores), provider="cpu")
    return next((t for t in trials if t.goal == goal and t.setting == plain and t.values), None)


def _contenders(trials: Sequence[Trial], goal: Goal, turn: int) -> Iterator[Trial]:
    """All in the first round; later on, those near the best, which is measured as often as they are."""
    order = ranked(trials, goal)
    for trial in order:
        if turn == 0 or (trial.values and trial.loss(order[0]) <= _BEATEN):
            yield trial


def _measure(trial: Trial, config: Config, seconds: float) -> None:
    setting = trial.setting
    fixed = replace(
        config,
        provider=setting.provider,
        workers=setting.workers,
        threads=setting.threads,
        spinning=setting.spinning,
        pinned=setting.pinned,
        optimisation=setting.optimisation,
    )
    fixed = configure(fixed, SCENARIOS[trial.goal], None, trial.goal)
    is_live = trial.goal == "latency"
    try:
        run = run_subject(fixed, _WARMUP_S, seconds, lambda _: None, receive=is_live)
    except ProviderError as error:
        trial.failure = str(error)
    else:
        trial.values.append(_latency_ms(run) if is_live else _fps(run))
        trial.cpu_ms.append(_cpu_ms(run))


def _fps(run: Run) -> float:
    before, after = run.snapshots[run.first], run.snapshots[-1]
    return _published(run) * NS_PER_S / (after.at_ns - before.at_ns)


def _cpu_ms(run: Run) -> float:
    before, after = run.snapshots[run.first], run.snapshots[-1]
    return to_ms(after.cpu_ns - before.cpu_ns) / max(1, _published(run))


def _published(run: Run) -> int:
    before, after = run.snapshots[run.first], run.snapshots[-1]
    return sum(after.streams[name].published - before.streams[name].published for name in after.streams)


def _latency_ms(run: Run) -> float:
    """The 90th percentile from capture to receipt, the single-stream scenario's number."""
    from_ns = run.snapshots[run.first].at_ns
    taken = [to_ms(a.received_ns - a.captured_ns) for a in run.arrivals if a.received_ns >= from_ns]
    return float(np.percentile(taken, 90)) if taken else float("inf")


def _raise_if_none_runs(trials: Sequence[Trial]) -> None:
    if not any(trial.values for trial in trials):
        raise ProviderError(trials[0].failure or "no setting could be measured")
