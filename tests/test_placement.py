import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from edge_engine.config import Config, StreamConfig
from edge_engine.engine import Engine
from edge_engine.models.providers import Setting
from edge_engine.placement import Placement
from edge_engine.ring import RingClosed
from edge_engine.scheduling import Scheduling
from edge_engine.stages.stage import StageThread

MINE = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []

pytestmark = pytest.mark.skipif(len(MINE) < 2, reason="needs two cores that can be told apart")


class Burn:
    """A stage that works, in CPU time, for so long a step whenever it is told to."""

    def __init__(self, name: str, step_ms: float) -> None:
        self.name = name
        self.step_ms = step_ms
        self.wanted = threading.Semaphore(0)
        self.done = threading.Semaphore(0)
        self.has_ended = False

    def step(self) -> None:
        self.done.release()
        self.wanted.acquire()
        if self.has_ended:
            raise RingClosed
        until_ns = time.thread_time_ns() + int(self.step_ms * 1e6)
        while time.thread_time_ns() < until_ns:
            pass

    def finish(self) -> None:
        pass


@contextmanager
def running(burns: list[Burn]) -> Iterator[list[StageThread]]:
    threads = [StageThread(burn, Scheduling(), lambda _: None) for burn in burns]
    for thread in threads:
        thread.start()
    for burn in burns:
        burn.done.acquire()
    try:
        yield threads
    finally:
        for burn, thread in zip(burns, threads, strict=True):
            burn.has_ended = True
            burn.wanted.release()
            assert thread.join(5)


def work(burns: list[Burn], placement: Placement) -> None:
    for burn in burns:
        burn.wanted.release()
    for burn in burns:
        burn.done.acquire()
    placement.look()


def cores_of(thread: StageThread) -> list[int]:
    return sorted(os.sched_getaffinity(thread.native_id))


def test_the_first_worker_has_a_core_to_itself_only_while_the_stages_around_fit_on_the_rest() -> None:
    two = MINE[:2]
    burns = [Burn("infer-0", 20), Burn("infer-1", 20), Burn("a/capture", 4), Burn("publish", 0.1)]
    setting = Setting(workers=2, threads=1, pinned=True)
    with running(burns) as threads:
        placement = Placement(setting, two, threads)
        work(burns, placement)
        assert placement.is_apart
        assert [cores_of(thread) for thread in threads] == [[two[0]], [two[1]], [two[1]], [two[1]]]
        burns[2].step_ms = 60
        work(burns, placement)
        assert not placement.is_apart
        assert [cores_of(thread) for thread in threads] == [two] * 4


def test_work_near_the_limit_does_not_move_the_threads_to_and_fro() -> None:
    burns = [Burn("infer-0", 20), Burn("infer-1", 20), Burn("a/capture", 5)]
    with running(burns) as threads:
        placement = Placement(Setting(workers=2, threads=1, pinned=True), MINE[:2], threads)
        work(burns, placement)
        assert placement.is_apart
        burns[2].step_ms = 12  # 0.23 of all work: too much to get apart, too little to end it
        work(burns, placement)
        assert placement.is_apart


@pytest.mark.parametrize(
    ("setting", "allowed"),
    [
        pytest.param(Setting(workers=2, threads=1, pinned=False), MINE[:2], id="not pinned"),
        pytest.param(
            Setting(workers=1, threads=2, pinned=True), MINE[:2], id="helpers have their cores already"
        ),
        pytest.param(Setting(workers=2, threads=1, pinned=True), None, id="cores have no numbers here"),
        pytest.param(
            Setting(workers=2, threads=1, pinned=True), [*MINE[:2], 4095], id="a core for every thread"
        ),
    ],
)
def test_otherwise_threads_stay_where_the_system_puts_them(
    setting: Setting, allowed: list[int] | None
) -> None:
    burns = [*(Burn(f"infer-{i}", 5) for i in range(setting.workers)), Burn("publish", 0.1)]
    with running(burns) as threads:
        placement = Placement(setting, allowed, threads)
        work(burns, placement)
        assert [cores_of(thread) for thread in threads] == [MINE] * len(threads)


def test_a_lost_core_leaves_the_threads_to_the_system() -> None:
    burns = [Burn("infer-0", 5), Burn("infer-1", 5)]
    with running(burns) as threads:
        placement = Placement(Setting(workers=2, threads=1, pinned=True), [4094, 4095], threads)
        work(burns, placement)
        assert [cores_of(thread) for thread in threads] == [MINE, MINE]


def test_an_engine_that_reads_as_fast_as_it_can_gives_each_worker_its_core() -> None:
    stream = StreamConfig(source="test:320x240@100", pace=False, loop=True)
    config = Config(streams={"a": stream}, policy="lossless", hint="throughput")
    with Engine(config, collect=False) as engine:
        ids = {thread.name: thread.native_id or 0 for thread in threading.enumerate()}
        until = time.monotonic() + 20
        while os.sched_getaffinity(ids["infer-0"]) != {MINE[0]} and time.monotonic() < until:
            engine.wait(0.05)
        assert os.sched_getaffinity(ids["infer-0"]) == {MINE[0]}
        for name in ("a/capture", "a/preprocess", "postprocess", "publish"):
            assert os.sched_getaffinity(ids[name]) == set(MINE[1:])
