"""edge-engine doctor: what is well here, what isn't, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.text import Text

from edge_engine.cli.screen import make_screen, progress_bar
from edge_engine.diagnosis import cameras, software, system
from edge_engine.diagnosis.configuration import configuration
from edge_engine.diagnosis.finding import Finding

CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    software.runtime,
    software.compiled_kernels,
    software.model,
    software.optional_packages,
    cameras.cameras,
    system.priorities,
    system.disk,
    system.clock,
    system.temperature,
    system.port,
    system.container,
)
_COLOURS = {"ok": "green", "note": "yellow", "bad": "bold red"}


def doctor(
    config: Annotated[
        Path | None,
        typer.Argument(metavar="[CONFIG]", help="Also try this .yaml: its models, endpoints, sources."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array of the findings.")] = False,
) -> None:
    """Check this machine, each finding with its cure; exit 2 when something keeps the engine from working."""
    screen = make_screen(stderr=as_json)
    findings: list[Finding] = []
    with progress_bar(screen) as progress:
        bar = progress.add_task("looking", total=len(CHECKS) + (config is not None))
        for check in CHECKS:
            findings += _told(check(), screen, is_quiet=as_json)
            progress.advance(bar)
        if config is not None:
            findings += _told(configuration(config), screen, is_quiet=as_json)
    if as_json:
        typer.echo(msgspec.json.encode(findings))
    if any(finding.level == "bad" for finding in findings):
        raise typer.Exit(2)


def _told(found: Iterator[Finding], screen: Console, *, is_quiet: bool) -> list[Finding]:
    findings = list(found)
    for finding in () if is_quiet else findings:
        cure = f"; {finding.cure}" if finding.cure else ""
        level = Text(f"{finding.level:<5}", _COLOURS[finding.level])
        screen.print(Text.assemble(level, (finding.check, "bold"), f": {finding.found}{cure}"))
    return findings
