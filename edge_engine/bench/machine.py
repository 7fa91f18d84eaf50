"""Machine: what a benchmark ran on, and how warm and how fast it is from moment to moment."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

import psutil

from edge_engine.bench.report import Machine
from edge_engine.processor import cores, processor_name

_PACKAGES = (
    "edge-engine",
    "onnxruntime",
    "onnxruntime-gpu",
    "opencv-python",
    "numpy",
    "av",
    "pyzmq",
    "numba",
)
_CPUS = Path("/sys/devices/system/cpu")
# Raspberry Pi: bits 0 to 3 say what holds now, among them 1 for a capped clock and 2 for throttling.
_PI_THROTTLED = Path("/sys/devices/platform/soc/soc:firmware/get_throttled")
_PI_NOW = 0b1111


class Condition(NamedTuple):
    """None: the system doesn't show it. `throttles` counts; on a Raspberry Pi it is 1 while it is held."""

    temperature_c: float | None
    clock_mhz: float | None
    throttles: int | None


def describe_machine() -> Machine:
    return Machine(
        system=platform.platform(),
        processor=processor_name(),
        cores=cores(),
        memory_gb=round(psutil.virtual_memory().total / 1e9, 1),
        python=platform.python_version(),
        versions={name: found for name in _PACKAGES if (found := _version(name))},
    )


def condition() -> Condition:
    return Condition(_temperature_c(), _clock_mhz(), _throttles())


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _temperature_c() -> float | None:
    """The hottest sensor."""
    read = getattr(psutil, "sensors_temperatures", dict)
    found = [sensor.current for sensors in read().values() for sensor in sensors if sensor.current]
    return round(max(found), 1) if found else None


def _clock_mhz() -> float | None:
    """The mean over the cores."""
    try:
        frequency = psutil.cpu_freq()
    except (OSError, NotImplementedError, RuntimeError):  # containers and boards without a governor
        return None
    return round(frequency.current) if frequency else None


def _throttles() -> int | None:
    pi = _text(_PI_THROTTLED)
    if pi:
        return int(bool(int(pi, 16) & _PI_NOW))
    counts = [_text(path) for path in _CPUS.glob("cpu*/thermal_throttle/core_throttle_count")]
    return sum(int(count) for count in counts if count) if counts else None


def _text(path: Path) -> str | None:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return None
