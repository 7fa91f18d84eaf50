"""An engine without the time it needs, as a client sees it. The long variant is soak_load.py."""

from __future__ import annotations

import contextlib

import pytest

from tests.sources.soak_load import MAX_AGE_MS, Load, quota, under


@pytest.mark.parametrize(
    ("load", "freezes_s"),
    [
        pytest.param(lambda _: contextlib.nullcontext(), 1.5, id="stopped for a while"),
        pytest.param(lambda pid: quota(pid, 0.2), 0.0, id="a fifth of a core"),
    ],
)
def test_an_engine_without_time_blames_no_camera_and_publishes_nothing_old(
    load: Load, freezes_s: float
) -> None:
    try:
        seen, _, _ = under(load, 3, freezes_s=freezes_s)
    except OSError as error:
        pytest.skip(f"a limit of time needs cgroups that may be written: {error}")
    assert seen.results
    assert max(seen.ages_ms()) <= MAX_AGE_MS
    assert seen.reconnects == 0
