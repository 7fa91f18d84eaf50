"""The zoo: files match their checksums, and what does not is refused."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from edge_engine import zoo
from edge_engine.errors import ModelError


@pytest.mark.parametrize("name", zoo.entries())
def test_every_file_matches_its_entry(name: str) -> None:
    entry = zoo.entries()[name]
    data = entry.path.read_bytes()
    assert (hashlib.sha256(data).hexdigest(), len(data)) == (entry.sha256, entry.bytes)
    assert zoo.find_model(name) == entry.path


def test_every_model_has_its_notice_and_licence() -> None:
    notice = (Path(__file__).parents[1] / "NOTICE").read_text()
    for entry in zoo.entries().values():
        assert entry.file in notice
        assert (zoo.FOLDER / "LICENSES" / f"{entry.licence}.txt").exists()


def test_a_changed_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in zoo.FOLDER.glob("*.*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(zoo, "FOLDER", tmp_path)
    changed = zoo.entries()["nanodet-g"].path
    data = bytearray(changed.read_bytes())
    data[len(data) // 2] ^= 1
    changed.write_bytes(data)
    with pytest.raises(ModelError, match="checksum"):
        zoo.find_model("nanodet-g")


def test_a_path_is_taken_as_it_is() -> None:
    assert zoo.find_model("some/model.onnx") == Path("some/model.onnx")


def test_a_name_that_is_nowhere_lists_the_zoo() -> None:
    with pytest.raises(ModelError, match="nanodet-g"):
        zoo.find_model("nanodet-x")
