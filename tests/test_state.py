"""StreamState: the machine as it is drawn, and what is logged of it."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_engine import state
from edge_engine.state import LINES_A_MINUTE, LOGGER, StreamState, StreamStatus

# As the module's picture has it, written down anew.
DRAWN = {
    "opening": {"running", "reconnecting", "ended", "failed"},
    "running": {"stalled", "reconnecting", "ended", "failed"},
    "stalled": {"running", "reconnecting", "ended", "failed"},
    "reconnecting": {"running", "ended", "failed"},
    "ended": set(),
    "failed": set(),
}


class Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def __enter__(self) -> Kept:
        log = logging.getLogger(LOGGER)
        self._level = log.level
        log.setLevel(logging.DEBUG)
        log.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger(LOGGER).removeHandler(self)
        logging.getLogger(LOGGER).setLevel(self._level)

    def lines(self) -> list[str]:
        return [record.getMessage() for record in self.records]


@given(st.lists(st.tuples(st.sampled_from(StreamState), st.text()), max_size=40))
def test_any_sequence_of_moves_is_in_the_drawn_machine_or_refused(
    moves: list[tuple[StreamState, str]],
) -> None:
    status = StreamStatus("a")
    lost = 0
    for wanted, reason in moves:
        before = status.now
        if wanted is before.state:
            status.move(wanted, reason)
            assert (status.now.since_ns, status.now.reconnects) == (before.since_ns, before.reconnects)
        elif wanted.value in DRAWN[before.state.value]:
            status.move(wanted, reason)
            assert status.now.since_ns >= before.since_ns
            lost += wanted is StreamState.RECONNECTING
        else:
            with pytest.raises(ValueError, match="is never followed by"):
                status.move(wanted, reason)
            assert status.now is before
            continue
        assert (status.now.state, status.now.reason, status.now.reconnects) == (wanted, reason, lost)
        assert status.now.is_over == (not DRAWN[wanted.value])


@given(st.text(max_size=20), st.lists(st.text(), min_size=1, max_size=30))
def test_a_line_is_one_line_and_a_minute_has_few_whatever_the_reasons(name: str, reasons: list[str]) -> None:
    with Kept() as kept:
        status = StreamStatus(name)
        status.move(StreamState.RUNNING)
        for reason in reasons:
            status.move(StreamState.STALLED, reason)
            status.move(StreamState.RUNNING)
        status.move(StreamState.FAILED, reasons[-1])
    changes = 2 * len(reasons) + 2
    assert len(kept.lines()) == min(changes, LINES_A_MINUTE + 1)
    for line in kept.lines():
        assert len(line.splitlines()) == 1
        assert line.isprintable()
    if changes > LINES_A_MINUTE + 1:
        assert kept.lines()[-1].endswith(f"left_out={changes - LINES_A_MINUTE - 1}")
    else:
        assert not any("left_out" in line for line in kept.lines())


def test_a_record_has_its_fields_for_programs() -> None:
    with Kept() as kept:
        status = StreamStatus("street")
        status.move(StreamState.RUNNING)
        status.move(StreamState.RECONNECTING, "camera: gone\nfor 2 s")
        status.move(StreamState.RECONNECTING, "camera: still gone")
        status.move(StreamState.RUNNING)
        status.move(StreamState.ENDED)
    fields = [(vars(r)["stream"], vars(r)["state"], vars(r)["reason"], r.levelname) for r in kept.records]
    assert fields == [
        ("street", "running", "", "DEBUG"),
        ("street", "reconnecting", "camera: gone\nfor 2 s", "WARNING"),
        ("street", "running", "", "INFO"),
        ("street", "ended", "", "DEBUG"),
    ]
    assert kept.lines()[1] == r"stream=street state=reconnecting reason='camera: gone\nfor 2 s'"


def test_the_log_tells_in_the_end_how_a_camera_is_that_has_calmed_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It moved for the last time while its lines were left out; each of its pictures says that it runs."""
    now_ns = [0]
    monkeypatch.setattr(state, "monotonic_ns", lambda: now_ns[0])
    with Kept() as kept:
        status = StreamStatus("a")
        for number in range(41):
            status.move(StreamState.RUNNING if number % 2 == 0 else StreamState.STALLED)
        assert "state=stalled" in kept.lines()[-1]
        for now_ns[0] in range(0, 70 * 10**9, 10**9):
            status.move(StreamState.RUNNING)
    assert len(kept.lines()) == LINES_A_MINUTE + 1
    assert kept.lines()[-1] == "stream=a state=running left_out=30"


def test_after_a_minute_lines_are_written_again(monkeypatch: pytest.MonkeyPatch) -> None:
    now_ns = [0]
    monkeypatch.setattr(state, "monotonic_ns", lambda: now_ns[0])
    with Kept() as kept:
        status = StreamStatus("a")
        for number in range(40):
            status.move(StreamState.RUNNING if number % 2 == 0 else StreamState.STALLED)
        assert len(kept.lines()) == LINES_A_MINUTE
        now_ns[0] = 60 * 10**9
        status.move(StreamState.RUNNING)
    assert kept.lines()[-1] == "stream=a state=running left_out=30"
