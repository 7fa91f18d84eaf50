import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from edge_engine.config import Config, RealtimeConfig, StreamConfig, parse_config
from edge_engine.engine import Engine
from edge_engine.errors import ConfigError
from edge_engine.scheduling import Scheduling

T = TypeVar("T")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets threads ask for this")


def _in_thread(work: Callable[[], T]) -> T:
    """What `work` returns in a thread of its own, whose scheduling ends with it."""
    got: list[T] = []
    thread = threading.Thread(target=lambda: got.append(work()))
    thread.start()
    thread.join()
    return got[0]


def test_batch_threads_wait_their_turn() -> None:
    def work() -> int:
        Scheduling(is_batch=True).apply()
        return os.sched_getscheduler(0)

    assert _in_thread(work) == os.SCHED_BATCH
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


def test_a_scheduling_holds_for_what_is_started_meanwhile_and_is_taken_back() -> None:
    core = max(os.sched_getaffinity(0))

    def work() -> tuple[object, object, object]:
        before = os.sched_getaffinity(0), os.sched_getscheduler(0)
        with Scheduling(cores=(core,), is_batch=True).applied():
            child = _in_thread(lambda: (os.sched_getaffinity(0), os.sched_getscheduler(0)))
        return before, child, (os.sched_getaffinity(0), os.sched_getscheduler(0))

    before, child, after = _in_thread(work)
    assert child == ({core}, os.SCHED_BATCH)
    assert after == before


def test_every_thread_of_the_engine_is_bound_to_the_cores_asked_for() -> None:
    core = min(os.sched_getaffinity(0))
    config = Config(
        streams={"a": StreamConfig(source="test:64x48@50")}, realtime=RealtimeConfig(cores=(core,))
    )
    mine = os.sched_getaffinity(0)
    with Engine(config) as engine:
        next(iter(engine.results()))
        names = {thread.name: thread.native_id for thread in threading.enumerate()}
        bound = {name: os.sched_getaffinity(names[name]) for name in ("a/capture", "infer-0", "publish")}
        assert (engine.model.setting.workers, engine.model.setting.threads) == (1, 1)
    assert set(map(frozenset, bound.values())) == {frozenset({core})}
    assert os.sched_getaffinity(0) == mine


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one core has no room for helpers")
@pytest.mark.parametrize("pinned", [True, False])
def test_helpers_of_an_inference_keep_to_cores_that_its_own_thread_leaves_free(pinned: bool) -> None:
    mine = sorted(os.sched_getaffinity(0))
    before = set(Path("/proc/self/task").iterdir())
    config = Config(streams={"a": StreamConfig(source="test:64x48@50")}, threads=2, pinned=pinned)
    with Engine(config) as engine:
        next(iter(engine.results()))
        threads = {int(task.name) for task in set(Path("/proc/self/task").iterdir()) - before}
        bound = [os.sched_getaffinity(thread) for thread in threads]
        starts = next(t.native_id for t in threading.enumerate() if t.name == "infer-0")
        assert starts is not None
        assert os.sched_getaffinity(starts) == set(mine[:-1] if pinned else mine)
    assert bound.count({mine[-1]}) == int(pinned)


def test_a_core_that_is_not_there_is_one_line() -> None:
    with pytest.raises(ConfigError, match=r"realtime.cores: expected some of the cores .*, found \[4095\]"):
        Scheduling(cores=(4095,)).apply()


QOS = Path("/dev/cpu_dma_latency")


def _wake_up_latency() -> bytes:
    with QOS.open("rb") as file:
        return file.read(4)


@pytest.mark.skipif(not os.access(QOS, os.R_OK | os.W_OK), reason="only root may keep cores awake")
def test_cores_are_kept_awake_as_long_as_the_engine_runs() -> None:
    before = _wake_up_latency()
    assert before != bytes(4)
    config = Config(streams={"a": StreamConfig(source="test:64x48@50")}, realtime=RealtimeConfig(awake=True))
    with Engine(config) as engine:
        next(iter(engine.results()))
        assert _wake_up_latency() == bytes(4)
    assert _wake_up_latency() == before


_REFUSED = """
import os, resource, sys
from edge_engine.config import Config, RealtimeConfig, StreamConfig
from edge_engine.engine import Engine
from edge_engine.errors import ConfigError
from edge_engine import kernels

kernels.warm_up()
resource.setrlimit(resource.RLIMIT_RTPRIO, (0, 0))
if os.geteuid() == 0:
    os.setresuid(65534, 65534, 65534)
try:
    wish = RealtimeConfig(priority=20) if sys.argv[1] == "priority" else RealtimeConfig(awake=True)
    Engine(Config(streams={"a": StreamConfig(source="test:64x48@50")}, realtime=wish))
except ConfigError as error:
    print(error.exit_code, error)
"""


@pytest.mark.parametrize(
    ("wish", "line", "cure"),
    [
        ("priority", "realtime.priority: the system refuses real-time priority 20; ", "limits.conf"),
        ("awake", "realtime.awake: the system refuses /dev/cpu_dma_latency (", "run as root"),
    ],
)
def test_what_the_system_refuses_is_one_line_that_says_how_to_get_it(wish: str, line: str, cure: str) -> None:
    done = subprocess.run([sys.executable, "-c", _REFUSED, wish], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"2 {line}")
    assert cure in done.stdout


def test_realtime_in_a_configuration() -> None:
    text = "streams: {a: {source: '0'}}\nrealtime: {cores: [0, 2], priority: 30}\n"
    assert parse_config(text, "x.yaml").realtime == RealtimeConfig(cores=(0, 2), priority=30)
    for bad, what in (("{cores: []}", "a list of cores"), ("{priority: 1}", "from 2 to 99")):
        with pytest.raises(ConfigError, match=what):
            parse_config(f"streams: {{a: {{source: '0'}}}}\nrealtime: {bad}\n", "x.yaml")
