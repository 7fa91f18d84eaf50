"""decode_peaks finds what the plain numpy twin finds: cells that no neighbour exceeds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_engine.kernels.peaks import decode_peaks
from tests.reference.peaks import decode_peaks_reference

Decoded = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]
Maps = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


def random_maps(classes: int, rows: int, columns: int, seed: int, is_logits: bool) -> Maps:
    """Heat in steps, so that neighbours are equal here and there, and some sizes negative."""
    rng = np.random.default_rng(seed)
    heat = rng.integers(0, 20, (classes, rows, columns)) / 20
    if is_logits:
        heat = heat * 12 - 6
    sizes = rng.uniform(-1, 30, (2, rows, columns))
    return heat.astype(np.float32), sizes.astype(np.float32), rng.random((2, rows, columns), np.float32)


def decode(maps: Maps, is_logits: bool, threshold: float, cap: int = 30000) -> Decoded:
    out = np.empty((cap, 4), np.float32), np.empty(cap, np.float32), np.empty(cap, np.int32)
    count = decode_peaks(*maps, 4, is_logits, threshold, *out, 0)
    return out[0][:count], out[1][:count], out[2][:count]


def assert_same(found: Decoded, expected: Decoded) -> None:
    np.testing.assert_array_equal(found[2], expected[2])
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-6, atol=1e-30)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-5, atol=1e-4)


@settings(deadline=None, max_examples=100)
@given(
    classes=st.integers(1, 9),
    rows=st.integers(1, 40),
    columns=st.integers(1, 40),
    is_logits=st.booleans(),
    threshold=st.sampled_from([0.0, 0.2, 0.61, 0.95, 1.0, 1.1]),
    seed=st.integers(0, 2**32 - 1),
)
def test_finds_what_the_reference_finds(
    classes: int, rows: int, columns: int, is_logits: bool, threshold: float, seed: int
) -> None:
    maps = random_maps(classes, rows, columns, seed, is_logits)
    expected = decode_peaks_reference(*maps, 4, is_logits, threshold)
    assert_same(decode(maps, is_logits, threshold), expected)


@pytest.mark.parametrize("is_logits", [False, True])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_odd_values_are_as_the_reference_has_them(is_logits: bool, value: float) -> None:
    maps = random_maps(3, 20, 20, 1, is_logits)
    for array, step in zip(maps, (11, 13, 17), strict=True):
        array.reshape(-1)[::step] = value
    assert_same(decode(maps, is_logits, 0.5), decode_peaks_reference(*maps, 4, is_logits, 0.5))


@pytest.mark.parametrize("cap", [1, 7, 100])
def test_full_outputs_keep_the_best_candidates(cap: int) -> None:
    maps = random_maps(4, 30, 30, 5, is_logits=False)
    found, everything = decode(maps, False, 0.0, cap), decode_peaks_reference(*maps, 4, False, 0.0)
    np.testing.assert_array_equal(np.sort(found[1]), np.sort(everything[1])[-cap:])


def test_a_peak_is_where_its_offset_says_and_as_large_as_its_size() -> None:
    heat, sizes, offsets = (np.zeros((n, 3, 5), np.float32) for n in (1, 2, 2))
    heat[0, 1, 2], heat[0, 1, 3] = 0.9, 0.8
    sizes[:, 1, 2] = 3, 1
    offsets[:, 1, 2] = 0.5, 0.25
    boxes, scores, _ = decode((heat, sizes, offsets), False, 0.5)
    assert boxes.tolist() == [[4, 3, 16, 7]]
    assert scores.tolist() == [np.float32(0.9)]


def test_arrays_that_do_not_fit_are_refused() -> None:
    heat, sizes, offsets = random_maps(2, 4, 4, 1, is_logits=False)
    with pytest.raises(ValueError, match="sizes"):
        decode((heat, sizes[:, :3], offsets), False, 0.5)
