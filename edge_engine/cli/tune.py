"""edge-engine tune: finds the fastest way to run a model on this device, and keeps it for `hint: auto`."""

from __future__ import annotations

import statistics
from typing import Annotated, get_args

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from edge_engine import kernels
from edge_engine.bench.tune import SCENARIOS, UNITS, Trial, plain_trial, ranked, settings, winner
from edge_engine.bench.tune import tune as measure
from edge_engine.cli.configuration import changed, config_of, default_source
from edge_engine.cli.screen import make_screen, progress_bar
from edge_engine.errors import UsageError
from edge_engine.models.providers import Setting, candidates, import_runtime
from edge_engine.processor import cores
from edge_engine.tuning import Goal, save_tuning
from edge_engine.zoo import find_model


class GoalReport(msgspec.Struct, frozen=True):
    """What was measured for a goal, in `unit`; best first. `winner` takes the least CPU time of those that
    are as good as the best; `plain_loss` is what the untuned defaults cost."""

    unit: str
    winner: Setting
    trials: list[TrialReport]
    plain_loss: float | None


class TrialReport(msgspec.Struct, frozen=True):
    """A setting with the median of its rounds, the CPU time per frame, and what it costs against the best:
    0.25 is a quarter."""

    setting: Setting
    median: float | None
    values: list[float]
    cpu_ms: float | None
    loss: float | None
    failure: str | None


class TuneReport(msgspec.Struct, frozen=True):
    model: str
    source: str
    goals: dict[Goal, GoalReport]
    kept_in: str


def tune(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="[CONFIG|SOURCE]",
            help="What to measure with; by default the demo's clip.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[str | None, typer.Option(help="A zoo model's name, or an ONNX file.")] = None,
    goal: Annotated[str, typer.Option(help="latency, throughput or both.")] = "both",
    provider: Annotated[str, typer.Option(help="Only this one; auto tries all that are there.")] = "auto",
    rounds: Annotated[int, typer.Option(min=1, help="Turns for each setting that is near the best.")] = 3,
    seconds: Annotated[float, typer.Option(min=1, help="Measure for so long per turn.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object with all measurements.")] = False,
) -> None:
    """Measure workers × threads × spinning × graph layout × providers here; `hint: auto` uses the best."""
    goals = _goals(goal)
    screen = make_screen(stderr=as_json)
    config = changed(config_of(what or default_source(screen)), model=model)
    name, stream = next(iter(config.streams.items()))
    config = changed(config, streams={name: stream})
    path = find_model(config.model)
    kernels.warm_up(lambda: screen.print("compiling kernels, this once …"))
    tried = settings(candidates(import_runtime(), provider), cores())
    with progress_bar(screen) as progress:
        bar = progress.add_task("")

        def show(turn: str, done: int, total: int) -> None:
            progress.update(bar, description=escape(turn), completed=done, total=total)
            if not screen.is_terminal and done == 0:
                screen.print(escape(f"{total} turns: {turn.partition(',')[0]}"))

        trials = measure(config, goals, tried, rounds, seconds, show)
    kept_in = save_tuning(path, {goal: winner(trials, goal).setting for goal in goals})
    reports = {goal: _report(trials, goal) for goal in goals}
    for each in goals:
        _print(each, reports[each], screen)
    screen.print(escape(f"kept in {kept_in}; `hint: auto` uses it from now on"))
    if as_json:
        typer.echo(msgspec.json.encode(TuneReport(str(path), stream.source, reports, str(kept_in))))


def _goals(goal: str) -> list[Goal]:
    known: list[Goal] = list(get_args(Goal))
    if goal != "both" and goal not in known:
        raise UsageError(f"--goal {goal}: expected latency, throughput or both")
    return [each for each in known if goal in ("both", each)]


def _report(trials: list[Trial], goal: Goal) -> GoalReport:
    order = ranked(trials, goal)
    best, plain = order[0], plain_trial(trials, goal, cores())
    rows = [
        TrialReport(
            trial.setting, trial.value, trial.values, statistics.median(trial.cpu_ms), trial.loss(best), None
        )
        if trial.values
        else TrialReport(trial.setting, None, [], None, None, trial.failure)
        for trial in order
    ]
    return GoalReport(UNITS[goal], winner(trials, goal).setting, rows, plain.loss(best) if plain else None)


def _print(goal: Goal, report: GoalReport, screen: Console) -> None:
    table = Table(box=None, pad_edge=False)
    for title in (f"{goal} ({SCENARIOS[goal]})", report.unit, "CPU ms per frame", "turns", "costs"):
        table.add_column(title, justify="left" if title.startswith(goal) else "right")
    for row in report.trials:
        if row.median is None or row.cpu_ms is None or row.loss is None:
            table.add_row(escape(f"{row.setting}: {row.failure}"), "-", "-", "0", "-")
            continue
        numbers = f"{row.median:.1f}", f"{row.cpu_ms:.1f}", str(len(row.values)), f"{row.loss:+.1%}"
        table.add_row(str(row.setting), *numbers)
    screen.print(table)
    screen.print(_cost_of_being_wrong(goal, report), "")


def _cost_of_being_wrong(goal: Goal, report: GoalReport) -> str:
    measured = [row for row in report.trials if row.loss is not None]
    worst = max(measured, key=lambda row: row.loss or 0)
    what = "longer latency" if goal == "latency" else "fewer frames"
    plain = f"the defaults would cost {report.plain_loss:.1%}, " if report.plain_loss is not None else ""
    return f"kept: {report.winner}; {plain}the worst choice {worst.loss:.0%} {what} ({worst.setting})"
