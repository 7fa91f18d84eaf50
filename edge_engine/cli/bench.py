"""edge-engine bench: how fast, how fresh, and how near to what this machine can do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import cv2
import msgspec
import typer
from rich.console import Console

from edge_engine import kernels
from edge_engine.bench.alone import alone, cpu_ms_alone, model_alone
from edge_engine.bench.compare import compare
from edge_engine.bench.evaluate import evaluate
from edge_engine.bench.measure import Run, run_subject
from edge_engine.bench.page import page
from edge_engine.bench.report import Report
from edge_engine.bench.scenario import SCENARIOS, configure
from edge_engine.bench.text import comparison_text, report_text
from edge_engine.cli.configuration import changed, config_of, default_source
from edge_engine.cli.naming import ClassesOption, LabelsOption, ThresholdOption, naming
from edge_engine.cli.screen import make_screen, progress_bar
from edge_engine.config import Config, revalidate
from edge_engine.errors import UsageError
from edge_engine.plan import make_plan
from edge_engine.zoo import find_model


def bench(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="[CONFIG|SOURCE]",
            help="A .yaml file, a video, a folder, a camera (0), test:; by default the demo's clip.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[str | None, typer.Option(help="A zoo model's name, or an ONNX file.")] = None,
    labels: LabelsOption = None,
    classes: ClassesOption = None,
    threshold: ThresholdOption = None,
    seconds: Annotated[float, typer.Option(min=2, help="Measure for so long.")] = 10,
    warmup: Annotated[float, typer.Option(min=0, help="Run so many seconds before.")] = 2,
    hint: Annotated[
        str | None, typer.Option(help="auto, latency or throughput; else the scenario's own.")
    ] = None,
    scenario: Annotated[
        str, typer.Option(help="offline (as fast as possible), single-stream or multi-stream (cameras).")
    ] = "offline",
    streams: Annotated[int | None, typer.Option(min=1, help="So many copies of the first stream.")] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the report; - prints it.")
    ] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it as a page with plots.")] = None,
    trim: Annotated[
        bool | None, typer.Option("--trim/--no-trim", help="Leave the letterbox's padding out, or not.")
    ] = None,
    compared: Annotated[
        tuple[Path, Path] | None,
        typer.Option("--compare", metavar="A.json B.json", help="Measure nothing: B against A."),
    ] = None,
) -> None:
    """Measure speed, freshness and cost on this machine, and name the bottleneck."""
    if compared is not None:
        make_screen().print(comparison_text(compare(_load(compared[0]), _load(compared[1]))))
        return
    is_printed = str(json_file) == "-"
    screen = make_screen(stderr=is_printed)
    config = changed(config_of(what or default_source(screen)), model=model, trim=trim)
    config = naming(labels, classes, threshold).applied_in(config)
    config = revalidate(configure(config, scenario, streams, hint))
    report = measure(config, scenario, warmup, seconds, screen)
    screen.print(report_text(report))
    encoded = msgspec.json.format(msgspec.json.encode(report), indent=1)
    if is_printed:
        typer.echo(encoded)
    elif json_file is not None:
        _write(json_file, encoded)
    if html is not None:
        _write(html, page(report).encode())


def measure(config: Config, scenario: str, warmup_s: float, seconds: float, screen: Console) -> Report:
    """The whole: each stage alone, the engine in its process, each stage alone again."""
    kernels.warm_up(lambda: screen.print("compiling kernels, this once …"))
    cv2.setNumThreads(1)
    model = model_alone(config, make_plan(config, find_model(config.model)).setting)
    provider = model.setting.provider
    with progress_bar(screen) as progress:
        bar = progress.add_task("each stage alone", total=warmup_s + seconds)
        parts = [cpu_ms_alone(config, provider)]

        def show(since_s: float) -> None:
            progress.update(
                bar, completed=since_s, description="warming up" if since_s < warmup_s else "measuring"
            )

        run: Run = run_subject(config, warmup_s, seconds, show, receive=SCENARIOS[scenario].is_live)
        progress.update(bar, description="each stage alone")
        parts.append(cpu_ms_alone(config, provider))
    size = (model.spec.input.width, model.spec.input.height)
    return evaluate(run, config, scenario, size, alone(model, parts))


def _load(path: Path) -> Report:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Report)
    except OSError as error:
        raise UsageError(f"{path}: can't be read: {error.strerror}") from None
    except msgspec.MsgspecError as error:
        raise UsageError(f"{path}: not a report of `edge-engine bench --json`: {error}") from None


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise UsageError(f"{path}: can't be written: {error.strerror}") from None
