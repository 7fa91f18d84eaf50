"""edge-engine control: what it refuses; what it does is tried with the README's commands."""

from __future__ import annotations

import pytest

from tests.cli.program import assert_one_clear_line, run_program


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--timeout", "0.2", "tcp://127.0.0.1:1", "pause", "front"], 3, ["no answer to pause", "0.2 s"]),
        (["tcp://127.0.0.1:1", "threshold", "front", "--label", "person"], 2, ["--label 'person'"]),
    ],
    ids=["nobody there", "no score"],
)
def test_what_it_can_t_do_is_one_line(arguments: list[str], code: int, words: list[str]) -> None:
    assert_one_clear_line(run_program("control", *arguments), code, *words)
