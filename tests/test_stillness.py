import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_engine.clock import NS_PER_MS
from edge_engine.stillness import Stillness

PERIOD_MS = 40
SHAPE = (192, 416, 3)
Picture = NDArray[np.uint8]


def noisy(level: int, seed: int) -> Picture:
    """What a sensor gives of a wall: the level, and a little noise."""
    noise = np.random.default_rng(seed).normal(0, 2, SHAPE)
    return np.clip(level + noise, 0, 255).astype(np.uint8)


def reasons(stillness: Stillness, pictures: list[Picture]) -> list[str]:
    return [
        stillness.judge(picture, number * PERIOD_MS * NS_PER_MS) for number, picture in enumerate(pictures)
    ]


@pytest.mark.parametrize("level", [40, 128, 255])
def test_a_real_camera_of_a_scene_without_motion_is_trusted(level: int) -> None:
    assert not any(reasons(Stillness(200), [noisy(level, seed) for seed in range(20)]))


def test_the_same_picture_again_and_again_is_told_after_the_time_and_no_earlier() -> None:
    found = reasons(Stillness(200), [noisy(100, 0)] + [noisy(100, 1)] * 10 + [noisy(100, 2)] * 2)
    assert found[:6] == [""] * 6  # the second picture came at 40 ms, and 200 ms of it are over at 240
    assert found[6:11] == [f"the same picture for {ms} ms" for ms in (200, 240, 280, 320, 360)]
    assert found[11:] == ["", ""]


def test_a_single_pixel_that_changes_between_the_samples_is_life() -> None:
    pictures = []
    for number in range(20):
        picture = noisy(100, 0)
        picture[3, 5] = number
        pictures.append(picture)
    assert not any(reasons(Stillness(200), pictures))


def test_pictures_that_take_turns_are_not_the_same() -> None:
    assert not any(reasons(Stillness(200), [noisy(100, number % 2) for number in range(20)]))


def test_a_covered_lens_is_told_though_its_noise_goes_on() -> None:
    covered = [noisy(6, seed) for seed in range(12)]
    found = reasons(Stillness(200), [noisy(100, 0), *covered, noisy(100, 99)])
    assert found[:6] == [""] * 6
    assert found[6] == "black for 200 ms"
    assert found[12] == "black for 440 ms"
    assert found[13] == ""


def test_a_lamp_at_night_is_not_black() -> None:
    pictures = [noisy(6, seed) for seed in range(20)]
    for picture in pictures:
        picture[80:120, 200:260] = 200
    assert not any(reasons(Stillness(200), pictures))


def test_without_a_limit_nothing_is_doubted() -> None:
    assert not any(reasons(Stillness(None), [np.zeros(SHAPE, np.uint8)] * 40))


@settings(max_examples=50, deadline=None)
@given(
    runs=st.lists(st.integers(1, 12), min_size=1, max_size=8),
    after_ms=st.integers(1, 400),
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
)
def test_a_picture_is_doubted_exactly_when_its_run_is_as_long_as_the_limit(
    runs: list[int], after_ms: int, size: tuple[int, int]
) -> None:
    pictures, expected = [], []
    for number, length in enumerate(runs):
        pictures += [np.full((*size, 3), 50 + number, np.uint8)] * length
        expected += [step * PERIOD_MS >= after_ms for step in range(length)]
    assert [bool(reason) for reason in reasons(Stillness(after_ms), pictures)] == expected
