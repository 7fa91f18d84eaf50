"""pair settles only what an optimum of the whole agrees with; lapx does the rest. scipy is the judge."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from edge_engine.kernels.overlaps import NONE, OPEN, pair
from edge_engine.tracking.association import Boxes, associate
from tests.reference.nms import iou_of

LIMITS = st.sampled_from([0.3, 0.5, 0.8, 1.0])


def crowd(n: int, seed: int, side: float) -> Boxes:
    """The smaller the side, the more they overlap; in whole pixels, so that ties are common."""
    rng = np.random.default_rng(seed)
    left_top = rng.integers(0, max(1, int(side)), (n, 2)).astype(np.float64)
    xyxy = np.concatenate([left_top, left_top + rng.integers(2, 12, (n, 2))], axis=1)
    return Boxes(xyxy, rng.integers(0, 2, n).astype(np.int32), rng.uniform(0.1, 1, n))


def gains_of(tracks: Boxes, found: Boxes, limit: float) -> NDArray[np.float64]:
    ious = np.array([iou_of(box, found.xyxy) for box in tracks.xyxy])
    is_same = tracks.class_ids[:, None] == found.class_ids[None]
    return np.where(is_same, np.maximum(0, limit - (1 - ious * found.weights)), 0)


@settings(deadline=None, max_examples=300)
@given(st.integers(1, 25), st.integers(1, 25), st.integers(0, 2**32 - 1), st.floats(1, 60), LIMITS)
def test_pairs_are_an_optimum_of_all(n: int, m: int, seed: int, side: float, limit: float) -> None:
    tracks, found = crowd(n, seed, side), crowd(m, seed + 1, side)
    gains = gains_of(tracks, found, limit)
    rows, columns = associate(tracks, found, limit)
    assert len(set(rows.tolist())) == len(rows)
    assert len(set(columns.tolist())) == len(columns)
    assert (gains[rows, columns] > 0).all()
    best = gains[linear_sum_assignment(gains, maximize=True)].sum()
    assert gains[rows, columns].sum() == pytest.approx(best, abs=1e-9)


@settings(deadline=None, max_examples=100)
@given(st.integers(1, 25), st.integers(1, 25), st.integers(0, 2**32 - 1), st.floats(1, 60), LIMITS)
def test_gains_are_those_of_the_reference(n: int, m: int, seed: int, side: float, limit: float) -> None:
    tracks, found = crowd(n, seed, side), crowd(m, seed + 1, side)
    pairing = pair(tracks.xyxy, tracks.class_ids, *found, limit)
    np.testing.assert_allclose(pairing.gains, gains_of(tracks, found, limit), atol=1e-12)
    for i, j in enumerate(pairing.partners):
        assert j in (NONE, OPEN) or pairing.owners[j] == i
    assert pairing.left == (pairing.partners == OPEN).sum()
