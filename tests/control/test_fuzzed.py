"""An engine that is told nonsense goes on, and changes nothing; the long run is soak_control.py."""

from __future__ import annotations

from pathlib import Path

from tests.control.running import RunningEngine
from tests.control.soak_control import fuzz


def test_harmful_messages_change_nothing_and_whole_ones_are_answered(tmp_path: Path) -> None:
    with RunningEngine(tmp_path, ["desk", "fired"]) as engine:
        outcome = fuzz(engine, 4_000)
        assert outcome.is_alive
        assert outcome.asked == outcome.answered == 40
        assert outcome.seen.results > 0
        assert outcome.seen.changes == 0
