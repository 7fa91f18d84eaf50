"""edge-engine record: `run`, with frames and results kept in an MCAP file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge_engine.cli.configuration import changed, config_of, publishing, recording
from edge_engine.cli.naming import ClassesOption, LabelsOption, ThresholdOption, naming
from edge_engine.cli.run import run_engine
from edge_engine.cli.screen import make_screen
from edge_engine.config import TrackingConfig
from edge_engine.errors import UsageError


def record(
    what: Annotated[
        str,
        typer.Argument(metavar="CONFIG|SOURCE", help="A .yaml file, a video, a folder, a camera (0), test:"),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE", help="The recording, for replay and for Foxglove.")
    ],
    model: Annotated[str | None, typer.Option(help="A zoo model's name, or an ONNX file.")] = None,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="End after so many seconds.")] = None,
    frames: Annotated[
        str, typer.Option(help="all, every:5 (results of all, each fifth picture) or none.")
    ] = "all",
    compression: Annotated[str, typer.Option(help="none, lz4 or zstd; JPEGs become no smaller.")] = "lz4",
    policy: Annotated[str | None, typer.Option(help="live (newest wins) or lossless.")] = None,
    labels: LabelsOption = None,
    classes: ClassesOption = None,
    threshold: ThresholdOption = None,
    track: Annotated[bool, typer.Option("--track", help="Give objects ids that they keep.")] = False,
    publish: Annotated[str | None, typer.Option(help="ZeroMQ endpoint to publish on.")] = None,
    fast: Annotated[bool, typer.Option("--fast", help="Files: as fast as possible, not paced.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON summary as the last line.")] = False,
) -> None:
    """Recognise, and record frames as they came with their results; Ctrl-C ends it with a summary."""
    if not out.parent.is_dir():
        raise UsageError(f"--out {out}: no such folder {out.parent}")
    config = config_of(what)
    if publish is not None:
        config = publishing(config, publish)
    streams = {name: changed(each, pace=False if fast else None) for name, each in config.streams.items()}
    tracking = TrackingConfig() if track and config.tracking is None else None
    config = changed(config, streams=streams, model=model, seconds=seconds, policy=policy, tracking=tracking)
    config = recording(
        naming(labels, classes, threshold).applied_in(config), out, frames=frames, compression=compression
    )
    run_engine(config, make_screen(stderr=as_json), as_json)
