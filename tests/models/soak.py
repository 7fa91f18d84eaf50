"""Soak: the command line on thousands of mutated model files: each ends it in one line, or runs.

    python -m tests.models.soak [--count 10000] [--seed 0] [--jobs 2] [--models FOLDER] [--keep FOLDER]

Mutates small models of several families and the zoo's, and those in a folder. What seems to fail is run again
by the real command; what fails then too is told, kept, and ends this with 1.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from edge_engine import zoo
from edge_engine.cache import cache_folder
from tests.models import heads
from tests.models.attending import attending
from tests.models.bad import mutated
from tests.models.exported import exported
from tests.models.suppressing import suppressing
from tests.models.trying import Outcome, running, tried, warm_up

ROOT = Path(__file__).parents[2]
LIMIT_S = 5.0
HANGS_S = 60.0
# Every so many files are inspected in place of run.
_INSPECTED = 20


class Task(NamedTuple):
    """A share of the mutations: those whose number leaves `worker` when divided by `workers`."""

    seed: int
    count: int
    worker: int
    workers: int
    models: list[Path]
    keep: Path


def base_models(folder: Path) -> list[Path]:
    """Small ones with everything that the engine reads, and the zoo's."""
    return [
        exported(folder / "yolov8.onnx"),
        exported(folder / "old.onnx", opset=11, dynamic=True, weights_as_inputs=True, dead_output=True),
        exported(folder / "nhwc.onnx", layout="NHWC", mean=(1.0, 2.0, 3.0)),
        suppressing(folder / "suppressing.onnx"),
        heads.yolox(folder / "yolox.onnx"),
        heads.yolov5(folder / "yolov5.onnx"),
        heads.end_to_end(
            folder / "ends.onnx",
            {"names": "{0: 'a', 1: 'b', 2: 'c', 3: 'd'}", "imgsz": "[64, 64]", "task": "detect"},
        ),
        attending(folder / "detr.onnx", is_post_processed=True),
        *(entry.path for entry in zoo.entries().values()),
    ]


def outcomes(task: Task, folder: Path) -> Iterator[tuple[Path, list[str], Outcome]]:
    """Of each mutated file the arguments and how the command ended, in forked processes."""
    models = [path.read_bytes() for path in task.models]
    for number in range(task.worker, task.count, task.workers):
        rng = random.Random(f"{task.seed}/{number}")
        which = rng.randrange(len(models))
        path = folder / f"{number}-{task.models[which].name}"
        path.write_bytes(mutated(rng, models[which]))
        arguments = ["inspect", str(path)] if number % _INSPECTED == 0 else running(path, folder / "ipc")
        yield path, arguments, tried(path, *arguments)
        path.unlink()
        shutil.rmtree(folder / "cache", ignore_errors=True)


def really(path: Path, arguments: list[str], cache: Path) -> Outcome:
    """By the real command, without any fork of ours; of the user's cache it sees the kernels alone.

    `seconds` is processor time, which other work on the machine doesn't lengthen.
    """
    shutil.rmtree(cache, ignore_errors=True)
    (cache / "edge_engine").mkdir(parents=True)
    for kernels in cache_folder().glob("kernels-*"):
        (cache / "edge_engine" / kernels.name).symlink_to(kernels)
    command = [sys.executable, "-m", "edge_engine", *arguments]
    environment = os.environ | {"XDG_CACHE_HOME": str(cache)}
    before_s = _children_s()
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=HANGS_S, cwd=ROOT, env=environment, check=False
        )
    except subprocess.TimeoutExpired:
        return Outcome(str(path), 0, "", "it hangs", HANGS_S)
    texts = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    return Outcome(str(path), done.returncode, *texts, _children_s() - before_s)


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def work(task: Task) -> tuple[Counter[str], list[str]]:
    """How often what came out, and what failed."""
    counts: Counter[str] = Counter()
    failed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        warm_up(Path(name) / "cache")
        for path, arguments, outcome in outcomes(task, Path(name)):
            counts["run as models" if outcome.code == 0 else "refused in one line"] += 1
            if outcome.fault(LIMIT_S) is None:
                continue
            again = really(path, arguments, Path(name) / "cache")
            fault = again.fault(LIMIT_S)
            counts["seemed to fail"] += 1
            if fault is not None:
                task.keep.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, task.keep)
                failed.append(f"{path.name}: {arguments[0]}: {fault}: {again.err[-300:].strip()}")
                sys.stderr.write(failed[-1] + "\n")
    return counts, failed


def main() -> None:
    parser = argparse.ArgumentParser(description="Run the command line on mutated model files.")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--models", type=Path, help="a folder of ONNX files to mutate too")
    parser.add_argument("--keep", type=Path, default=Path("build/bad"), help="where what fails is kept")
    given = parser.parse_args()
    started_s = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        models = base_models(Path(name))
        models += sorted(given.models.glob("*.onnx")) if given.models else []
        tasks = [Task(given.seed, given.count, i, given.jobs, models, given.keep) for i in range(given.jobs)]
        with multiprocessing.get_context("spawn").Pool(given.jobs) as pool:
            results = pool.map(work, tasks)
    counts = sum((counts for counts, _ in results), Counter[str]())
    failed = [line for _, lines in results for line in lines]
    told = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
    sys.stdout.write(f"{given.count} mutations, seed {given.seed}: {told}; {len(failed)} failed; ")
    sys.stdout.write(f"{time.monotonic() - started_s:.0f} s\n")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
