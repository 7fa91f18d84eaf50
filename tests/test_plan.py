"""Plan: the hint, what was tuned, and the configuration's own words, in rising order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_engine.bench.tune import settings
from edge_engine.config import Config, StreamConfig
from edge_engine.models.providers import Setting
from edge_engine.plan import make_plan
from edge_engine.processor import cores
from edge_engine.tuning import Goal, load_tuning, save_tuning
from edge_engine.zoo import find_model

MODEL = find_model("nanodet-g")
FAST = Setting(provider="cpu", workers=1, threads=1, spinning=True, optimisation="basic")
MANY = Setting(provider="cpu", workers=3, threads=2)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def config(streams: int = 1, **terms: Any) -> Config:  # noqa: ANN401
    return Config(streams={f"s{i}": StreamConfig(source="0") for i in range(streams)}, **terms)


@pytest.mark.parametrize(
    ("terms", "goal"),
    [
        ({}, "latency"),
        ({"streams": 2}, "throughput"),
        ({"policy": "lossless"}, "throughput"),
        ({"streams": 2, "hint": "latency"}, "latency"),
        ({"hint": "throughput"}, "throughput"),
    ],
)
def test_the_hint_sets_the_goal_and_auto_sees_it_for_itself(
    cache: Path, terms: dict[str, Any], goal: Goal
) -> None:
    plan = make_plan(config(**terms), MODEL)
    assert plan.goal == goal
    assert not plan.is_tuned
    shape = (1, cores()) if goal == "latency" else (cores(), 1)
    assert (plan.setting.workers, plan.setting.threads) == shape


def test_auto_takes_what_was_tuned_for_its_goal(cache: Path) -> None:
    save_tuning(MODEL, {"latency": FAST})
    save_tuning(MODEL, {"throughput": MANY})
    assert make_plan(config(), MODEL) == ("latency", FAST, True)
    assert make_plan(config(streams=2), MODEL) == ("throughput", MANY, True)


def test_what_the_configuration_says_wins(cache: Path) -> None:
    save_tuning(MODEL, {"latency": FAST})
    said = config(workers=5, threads=7, spinning=False, optimisation="extended")
    own = Setting(provider="cpu", workers=5, threads=7, spinning=False, optimisation="extended")
    assert make_plan(said, MODEL).setting == own


@pytest.mark.parametrize(
    "terms",
    [
        {"hint": "latency"},
        {"provider": "cuda"},
        {"realtime": {"cores": [0] * (cores() - 1) or [0, 1]}},
    ],
)
def test_what_was_tuned_for_something_else_is_left_alone(cache: Path, terms: dict[str, Any]) -> None:
    save_tuning(MODEL, {"latency": FAST})
    assert not make_plan(
        msgspec.convert({"streams": {"s": {"source": "0"}}, **terms}, Config), MODEL
    ).is_tuned


def test_another_model_is_not_tuned(cache: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.onnx"
    other.write_bytes(MODEL.read_bytes() + b"\x32\x01x")  # a documentation
    save_tuning(other, {"latency": FAST})
    assert load_tuning(MODEL) is None
    assert load_tuning(other) is not None


def test_a_damaged_tuning_is_as_good_as_none(cache: Path) -> None:
    save_tuning(MODEL, {"latency": FAST}).write_bytes(b'{"best": 3')
    assert load_tuning(MODEL) is None
    save_tuning(MODEL, {"latency": FAST})
    assert make_plan(config(), MODEL).is_tuned


@given(st.integers(1, 64))
def test_no_setting_that_is_tried_uses_more_threads_than_cores(available: int) -> None:
    tried = settings(["openvino", "cpu"], available)
    assert all(setting.workers * setting.threads <= available for setting in tried)
    assert len(set(map(str, tried))) == len(tried)
    assert {setting.provider for setting in tried} == {"openvino", "cpu"}
    on_cpu = [setting for setting in tried if setting.provider == "cpu"]
    assert {(1, 1), (1, available), (available, 1)} <= {(s.workers, s.threads) for s in on_cpu}


@given(st.integers(1, 8), st.lists(st.integers(0, 99), min_size=1, max_size=9, unique=True).map(sorted))
def test_pinned_helpers_have_a_core_each_and_leave_one_over(threads: int, allowed: list[int]) -> None:
    split = Setting(threads=threads, pinned=True).split(allowed)
    if split is None:
        assert threads == 1 or threads > len(allowed)
        return
    starters, helpers = split
    assert len(helpers) == threads - 1
    assert starters
    assert starters + helpers == allowed


def test_nothing_is_pinned_unasked_or_where_cores_have_no_numbers() -> None:
    assert Setting(threads=2).split([0, 1]) is None
    assert Setting(threads=2, pinned=True).split(None) is None
