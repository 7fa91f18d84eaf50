from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge_engine.sources.test_pattern import read_counter
from tests.sources.made import opened, read_all


@pytest.mark.parametrize("size", ["640x480", "1280x720", "64x32", "333x77"])
def test_every_picture_says_its_number(size: str) -> None:
    grabs = read_all(opened(f"test:{size}?frames=40"))
    assert [read_counter(grab.pixels.bgr()) for grab in grabs] == list(range(40))
    assert {"{}x{}".format(*grab.pixels.size) for grab in grabs} == {size}


def test_the_number_survives_resizing_and_jpeg() -> None:
    image = read_all(opened("test:?frames=38"))[-1].pixels.bgr()
    small = cv2.resize(image, (320, 200))
    packed = cv2.imdecode(cv2.imencode(".jpg", image)[1], cv2.IMREAD_COLOR)
    assert read_counter(np.asarray(small, np.uint8)) == 37
    assert read_counter(np.asarray(packed, np.uint8)) == 37


def test_the_pattern_moves_and_has_colours() -> None:
    first, second = (grab.pixels.bgr() for grab in read_all(opened("test:?frames=2")))
    assert not np.array_equal(first[100:], second[100:])
    assert first.std(axis=2).max() > 100


def test_no_picture_is_allocated_once_warm() -> None:
    source = opened("test:64x32?frames=100")
    places = set()
    while (grab := source.read()) is not None:
        places.add(grab.pixels.bgr().ctypes.data)
    assert len(places) <= 2  # the one in hand and the next


def test_looped_it_counts_from_zero_again() -> None:
    grabs = read_all(opened("test:64x32?frames=3", loop=True), 7)
    assert [read_counter(grab.pixels.bgr()) for grab in grabs] == [0, 1, 2, 0, 1, 2, 0]


def test_paced_pictures_are_never_early() -> None:
    grabs = read_all(opened("test:64x32@200?frames=11", pace=True))
    assert grabs[-1].captured_ns - grabs[0].captured_ns >= 45_000_000
    stamps = [grab.captured_ns for grab in grabs]
    assert stamps == sorted(set(stamps))


def test_an_interrupted_source_has_no_more_pictures() -> None:
    source = opened("test:64x32@0.001", pace=True)  # the second picture is due in 1000 s
    assert source.read() is not None
    source.interrupt()
    assert source.read() is None
    assert source.read() is None
    source.close()
    source.close()
