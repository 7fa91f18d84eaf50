"""Frames: whose pictures calibrate, and whose judge."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_engine.errors import DataError, EdgeEngineError
from edge_engine.models.spec import InputSpec
from edge_engine.quantization.frames import Pictures, gather
from tests.quantization.nets import pictures

SPEC = InputSpec(32, 32, "NHWC", "uint8", "RGB", "stretch")


def shown(found: Pictures) -> tuple[set[bytes], set[bytes]]:
    calibrating, judging = found.calibrating, found.judging
    return {tensor.tobytes() for tensor in calibrating}, {tensor.tobytes() for tensor in judging}


def test_no_picture_both_calibrates_and_judges(tmp_path: Path) -> None:
    found = gather(str(pictures(tmp_path / "p", 20)), SPEC, 12)
    calibrating, judging = shown(found)
    assert (len(calibrating), len(judging)) == (6, 6)
    assert not calibrating & judging


def test_a_videos_halves_are_stretches_of_time() -> None:
    found = gather("test:64x64@30?frames=200", SPEC, 64)
    assert (len(found.calibrating), len(found.judging)) == (32, 32)
    calibrating, judging = shown(found)
    assert not calibrating & judging


def test_a_configurations_streams_share_the_pictures(tmp_path: Path) -> None:
    config = tmp_path / "two.yaml"
    sources = "test:64x64@30?frames=50", "test:96x96@30?frames=50"
    streams = "\n".join(f"  s{i}: {{source: '{uri}'}}" for i, uri in enumerate(sources))
    config.write_text(f"streams:\n{streams}\n")
    found = gather(str(config), SPEC, 40)
    assert len(found.calibrating) + len(found.judging) == 40


def test_pictures_in_folders_inside_count_and_broken_ones_are_left_out(tmp_path: Path) -> None:
    pictures(tmp_path / "p", 9)
    (tmp_path / "p" / "inside").mkdir()
    cv2.imwrite(str(tmp_path / "p/inside/x.png"), np.zeros((9, 9, 3), np.uint8))
    (tmp_path / "p" / "broken.png").write_text("no picture")
    found = gather(str(tmp_path / "p"), SPEC, 100)
    assert (len(found.calibrating) + len(found.judging), found.unreadable) == (10, 1)


@pytest.mark.parametrize(("count", "words"), [(0, "no pictures"), (3, "give 4 at least")])
def test_too_few_pictures_are_one_line(tmp_path: Path, count: int, words: str) -> None:
    with pytest.raises(DataError, match=words):
        gather(str(pictures(tmp_path / "p", count)), SPEC, 100)


def test_what_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(EdgeEngineError, match="nowhere"):
        gather(str(tmp_path / "nowhere.mp4"), SPEC, 100)
