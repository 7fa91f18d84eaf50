from __future__ import annotations

import numpy as np

from edge_engine.pixels import BgrPixels
from edge_engine.sources.pool import KEPT_AT_MOST, BufferPool


def addresses(pool: BufferPool, count: int) -> set[int]:
    return {pool.take().ctypes.data for _ in range(count)}


def test_a_buffer_let_go_is_used_again() -> None:
    assert len(addresses(BufferPool((64, 48)), 100)) == 1


def test_a_buffer_in_use_is_never_handed_out() -> None:
    pool = BufferPool((64, 48))
    held = [pool.take() for _ in range(5)]
    assert len({id(buffer) for buffer in held}) == 5
    assert held[2].shape == (48, 64, 3)
    freed = held.pop(2).ctypes.data
    assert addresses(pool, 10) == {freed}


def test_a_view_or_a_picture_keeps_its_buffer() -> None:
    pool = BufferPool((64, 48))
    view = pool.take()[4:8, ::2].reshape(-1)
    picture = BgrPixels(pool.take())
    others = addresses(pool, 10)
    assert len(others) == 1
    assert picture.bgr().ctypes.data not in others
    assert not np.shares_memory(view, pool.take())


def test_pictures_kept_for_good_do_not_stay_in_the_pool() -> None:
    pool = BufferPool((4, 4))
    kept = [pool.take() for _ in range(3 * KEPT_AT_MOST)]
    assert len({buffer.ctypes.data for buffer in kept}) == 3 * KEPT_AT_MOST
    del kept
    assert len(addresses(pool, 3 * KEPT_AT_MOST)) <= KEPT_AT_MOST
