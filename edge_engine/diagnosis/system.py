"""What the system gives and allows: priorities, disk, clock, temperature, ports, cores of a container."""

from __future__ import annotations

import contextlib
import ctypes
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from edge_engine.bench.machine import condition
from edge_engine.cache import cache_folder, write_atomically
from edge_engine.client import DEFAULT_ENDPOINT
from edge_engine.diagnosis.finding import Finding, Level
from edge_engine.errors import ConfigError
from edge_engine.processor import cores
from edge_engine.scheduling import Scheduling, keep_awake

_ROOM_MB = 200
_HOT_C = 80.0
_FEWEST_DESCRIPTORS = 1024
_OLDEST_S = 1_735_689_600  # 2025 began: a clock before that was never set
_UNSYNCHRONISED = 5  # adjtimex(2): TIME_ERROR
_SLOW_GOVERNORS = {"powersave", "ondemand", "conservative"}
_SLOW_CLOCKS = {"hpet", "acpi_pm", "jiffies", "pit"}
_CLOCK_SOURCE = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")
_CGROUPS = Path("/sys/fs/cgroup")


def priorities() -> Iterator[Finding]:
    """What `realtime` in a configuration needs, tried: in a container even root may be refused."""
    import resource

    yield _allowed("real-time priority", Scheduling(priority=2).apply)
    yield _allowed("cores kept awake", lambda: keep_awake().close())
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    level: Level = "ok" if descriptors >= _FEWEST_DESCRIPTORS or descriptors < 0 else "note"
    yield Finding("open files", level, f"at most {descriptors}", "" if level == "ok" else "ulimit -n 4096")


def _allowed(check: str, do: Callable[[], None]) -> Finding:
    """Done in a thread of its own, with which its priority goes."""
    refused: list[ConfigError] = []

    def try_it() -> None:
        try:
            do()
        except ConfigError as error:
            refused.append(error)

    trying = threading.Thread(target=try_it)
    trying.start()
    trying.join()
    if not refused:
        return Finding(check, "ok", "allowed")
    found, _, cure = str(refused[0]).partition("; ")
    return Finding(check, "note", found, cure)


def disk() -> Iterator[Finding]:
    """The cache keeps repaired models, kernels and tunings; without it each start makes them anew."""
    folder = cache_folder()
    try:
        write_atomically(folder / "doctor", b"")
        (folder / "doctor").unlink()
    except OSError as error:
        cure = "make it writable, or set XDG_CACHE_HOME to a folder that is"
        yield Finding("cache", "bad", f"{folder} can't be written: {error.strerror}", cure)
        return
    free_mb = shutil.disk_usage(folder).free // 10**6
    if free_mb >= _ROOM_MB:
        yield Finding("cache", "ok", f"{folder} can be written, {free_mb} MB are free")
    else:
        cure = f"remove what isn't needed; {_ROOM_MB} MB are enough"
        yield Finding("cache", "bad", f"{folder}: only {free_mb} MB are free", cure)


def clock() -> Iterator[Finding]:
    if time.time() < _OLDEST_S:
        year = time.gmtime().tm_year
        yield Finding("clock", "note", f"it says {year}: it was never set", "sudo timedatectl set-ntp true")
        return
    state = _clock_state()
    if state == _UNSYNCHRONISED:
        said = "not synchronised: stamps in UTC may be off, ages are not"
        yield Finding("clock", "note", said, "sudo timedatectl set-ntp true")
    else:
        said = (
            "synchronised" if state is not None else "set; the system doesn't tell whether it is synchronised"
        )
        yield Finding("clock", "ok", said)
    source = _text(_CLOCK_SOURCE)
    if source in _SLOW_CLOCKS:
        cure = "tsc=reliable among the kernel's parameters, if the processor's clock is one"
        yield Finding("clock source", "note", f"{source}: each look at the clock takes microseconds", cure)
    elif source:
        yield Finding("clock source", "ok", source)


def _clock_state() -> int | None:
    """adjtimex(2)'s; None where there is no such call, or it may not be made."""
    try:
        call = ctypes.CDLL(None).adjtimex
    except (OSError, AttributeError):
        return None
    state = int(call(ctypes.create_string_buffer(512)))  # a struct timex of zeros asks, and is larger nowhere
    return None if state < 0 else state


def temperature() -> Iterator[Finding]:
    now = condition()
    if now.temperature_c is None:
        yield Finding("temperature", "note", "the system shows none")
    elif now.temperature_c >= _HOT_C:
        yield Finding(
            "temperature", "note", f"{now.temperature_c} °C: it may slow down", "a fan, or a heat sink"
        )
    else:
        yield Finding("temperature", "ok", f"{now.temperature_c} °C")
    if now.throttles:
        yield Finding(
            "throttling", "note", "the processor has been slowed down", "cooling, and a stronger supply"
        )
    governors = {
        _text(path) for path in Path("/sys/devices/system/cpu").glob("cpu*/cpufreq/scaling_governor")
    }
    for governor in sorted(governors - {""}):
        is_slow = governor in _SLOW_GOVERNORS
        cure = "sudo cpupower frequency-set -g performance" if is_slow else ""
        yield Finding("frequency governor", "note" if is_slow else "ok", governor, cure)


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:  # a core that is off, or a container that hides it
        return ""


def port(endpoint: str = DEFAULT_ENDPOINT) -> Iterator[Finding]:
    host, _, number = endpoint.removeprefix("tcp://").rpartition(":")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(number)))
        except OSError as error:
            said = f"{endpoint} can't be bound: {error.strerror}{held_by(endpoint)}"
            yield Finding("port", "note", said, "end that program, or publish on another endpoint")
        else:
            yield Finding("port", "ok", f"{endpoint} is free")


def held_by(endpoint: str) -> str:
    """Which program listens at a tcp:// endpoint, where that may be known: others' are hidden."""
    number = endpoint.rpartition(":")[2]
    with contextlib.suppress(psutil.Error, OSError):
        for each in psutil.net_connections("tcp"):
            if (
                each.status == psutil.CONN_LISTEN
                and str(getattr(each.laddr, "port", "")) == number
                and each.pid
            ):
                return f"; {psutil.Process(each.pid).name()} (process {each.pid}) listens there"
    return ""


def container() -> Iterator[Finding]:
    quota = _quota_cores()
    if quota is None:
        yield Finding("cores", "ok", f"{cores()}, without a limit on their time")
    elif quota >= cores():
        yield Finding("cores", "ok", f"{cores()}, of which a container may use {quota:g}")
    else:
        cure = "a larger --cpus, or `workers` and `threads` for that many"
        yield Finding("cores", "note", f"{cores()} are seen, but only the time of {quota:g} is given", cure)


def _quota_cores() -> float | None:
    """The least limit of CPU time, in cores, of this process's control groups, of either version."""
    limits = [limit for folder in _groups() if (limit := _limit_in(folder)) is not None]
    return min(limits, default=None)


def _groups() -> Iterator[Path]:
    """Its own and those above it; in a container the topmost is often the only one that is seen."""
    for line in _text(Path("/proc/self/cgroup")).splitlines():
        _, kinds, path = line.split(":", 2)
        if not kinds or "cpu" in kinds.split(","):
            own = Path(path.lstrip("/"))
            for root in (_CGROUPS, _CGROUPS / "cpu"):
                yield from (root / above for above in (own, *own.parents))


def _limit_in(folder: Path) -> float | None:
    quota, _, period = _text(folder / "cpu.max").partition(" ")
    if not quota:
        quota, period = _text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us")
    is_limit = quota.isdecimal() and period.isdecimal() and int(period) > 0
    return int(quota) / int(period) if is_limit else None
