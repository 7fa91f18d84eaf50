"""motion says what the whole filter of eight states says, with matrices and in plain numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_engine.kernels import motion
from tests.reference.motion import begun, columns, corrected, predicted

STEPS = st.lists(st.tuples(st.floats(0, 2), st.booleans()), min_size=1, max_size=12)


def boxes(n: int, seed: int) -> motion.Floats:
    rng = np.random.default_rng(seed)
    left_top = rng.uniform(-100, 1000, (n, 2))
    return np.concatenate([left_top, left_top + rng.uniform(5, 300, (n, 2))], axis=1)


@settings(deadline=None, max_examples=100)
@given(st.integers(1, 6), st.integers(0, 2**32 - 1), STEPS)
def test_filters_are_those_of_the_reference(n: int, seed: int, steps: list[tuple[float, bool]]) -> None:
    first = boxes(n, seed)
    states, references = motion.begin(first), [begun(box) for box in first]
    for k, (seconds, is_seen) in enumerate(steps):
        motion.predict(states, np.zeros(n, np.uint8), seconds)
        references = [predicted(*reference, seconds) for reference in references]
        if is_seen:
            seen = first + boxes(n, seed + k + 1) / 100
            motion.correct(states, np.arange(n), seen)
            references = [corrected(*both, box) for both, box in zip(references, seen, strict=True)]
    expected = np.array([columns(*reference) for reference in references])
    np.testing.assert_allclose(states, expected, rtol=1e-7, atol=1e-7)


def test_expected_boxes_are_those_that_were_seen_while_no_time_passes() -> None:
    seen = boxes(20, 1)
    states = motion.begin(seen)
    np.testing.assert_allclose(motion.predict(states, np.zeros(20, np.uint8), 0.0), seen)


def test_the_height_of_a_lost_one_stays() -> None:
    states = motion.begin(boxes(2, 1))
    states[:, 3, 1] = 50
    heights = states[:, 3, 0].copy()
    motion.predict(states, np.array([0, 1], np.uint8), 0.1)
    np.testing.assert_allclose(states[:, 3, 0], heights + np.array([5, 0]))


def test_a_replay_is_a_walk_with_even_steps() -> None:
    a, b = boxes(3, 1), boxes(3, 1) + 30
    states, expected = motion.begin(a), motion.begin(a)
    motion.replay(states, a, b, np.full(3, 0.4), np.full(3, 4))
    for step in range(1, 5):
        motion.predict(expected, np.zeros(3, np.uint8), 0.1)
        motion.correct(expected, np.arange(3), a + (b - a) * step / 4)
    np.testing.assert_allclose(states, expected)


@pytest.mark.parametrize("row", [-1, 2])
def test_a_row_that_is_none_is_refused(row: int) -> None:
    with pytest.raises(ValueError, match="rows"):
        motion.correct(motion.begin(boxes(2, 1)), np.array([row]), boxes(1, 1))
