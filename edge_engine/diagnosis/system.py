"""What the system gives and allows: priorities, disk, clock, temperature, ports, cores of a container."""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from edge_engine.bench.machine import condition
from edge_engine.cache import cache_folder, write_atomically
from edge_engine.client import DEFAULT_ENDPOINT
from edge_engine.diagnosis.finding import Finding, Level
from edge_engine.processor import cores

_ROOM_MB = 200
_HOT_C = 80.0
_FEWEST_DESCRIPTORS = 1024
_OLDEST_S = 1_735_689_600  # 2025 began: a clock before that was never set
_UNSYNCHRONISED = 5  # adjtimex(2): TIME_ERROR
_SLOW_GOVERNORS = {"powersave", "ondemand", "conservative"}
_LATENCY = Path("/dev/cpu_dma_latency")


def priorities() -> Iterator[Finding]:
    """What `realtime` in a configuration needs."""
    import resource

    most, _ = resource.getrlimit(resource.RLIMIT_RTPRIO) if hasattr(resource, "RLIMIT_RTPRIO") else (0, 0)
    if os.geteuid() == 0 or most > 0:
        yield Finding("real-time priority", "ok", "allowed")
    else:
        cure = "`<user> - rtprio 50` in /etc/security/limits.conf, then log in again"
        yield Finding("real-time priority", "note", "not allowed: realtime.priority is refused", cure)
    if os.access(_LATENCY, os.W_OK):
        yield Finding("cores kept awake", "ok", f"{_LATENCY} may be written")
    else:
        cure = "run as root, or a udev rule that lets your group write to it"
        yield Finding(
            "cores kept awake", "note", f"{_LATENCY} may not be written: realtime.awake is refused", cure
        )
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    level: Level = "ok" if descriptors >= _FEWEST_DESCRIPTORS or descriptors < 0 else "note"
    yield Finding("open files", level, f"at most {descriptors}", "" if level == "ok" else "ulimit -n 4096")


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
            cure = f"ss -ltnp 'sport = :{number}' tells by whom; or publish on another endpoint"
            yield Finding("port", "note", f"{endpoint} can't be bound: {error.strerror}", cure)
        else:
            yield Finding("port", "ok", f"{endpoint} is free")


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
    """cgroup v2's and v1's limit of CPU time, in cores."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError):
        pass
    folder = Path("/sys/fs/cgroup/cpu")
    try:
        quota_us = int((folder / "cpu.cfs_quota_us").read_text())
        return None if quota_us < 0 else quota_us / int((folder / "cpu.cfs_period_us").read_text())
    except (OSError, ValueError, ZeroDivisionError):
        return None
