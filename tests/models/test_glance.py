"""Glance: a file that can't be a model is told by its kind, its size and its first bytes."""

from __future__ import annotations

import os
from pathlib import Path

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_engine.errors import ModelError
from edge_engine.models.glance import check_file
from edge_engine.zoo import find_model
from tests.models.exported import exported


def test_models_pass(tmp_path: Path) -> None:
    check_file(find_model("nanodet-g"))
    check_file(exported(tmp_path / "x.onnx"))


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "the model file is empty"),
        (bytes(50), "its first byte is 0"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"\x1c\x00\x00\x00TFL3" + bytes(50), "python -m tf2onnx.convert"),
        (b"PK\x03\x04" + bytes(50), "a zip archive, as PyTorch's files are"),
        (b"<html>", "was a web page downloaded in its place"),
        (b"words, words", "it isn't made of fields"),
        (b"\x08\x08" * 200_000, "it isn't made of fields"),
    ],
)
def test_what_is_taken_for_one_is_named(content: bytes, line: str, tmp_path: Path) -> None:
    path = tmp_path / "x.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=line):
        check_file(path)


def test_a_file_that_may_not_be_read_is_one_line(tmp_path: Path) -> None:
    path = exported(tmp_path / "x.onnx")
    path.chmod(0)
    before = os.geteuid()
    if before == 0:
        os.seteuid(65_534)
    try:
        with pytest.raises(ModelError, match=r"can't be read: Permission denied"):
            check_file(path)
    finally:
        os.seteuid(before)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Path]:
    folder = tmp_path_factory.mktemp("whole")
    return exported(folder / "x.onnx").read_bytes(), folder / "cut.onnx"


@given(data=st.data())
def test_a_file_that_is_cut_short_is_known_by_its_first_bytes(
    whole: tuple[bytes, Path], data: st.DataObject
) -> None:
    """Within the graph; its metadata and opset, which come after, are whole fields each."""
    content, path = whole
    graph = onnx.ModelProto.FromString(content).graph.ByteSize()
    path.write_bytes(content[: data.draw(st.integers(8, graph))])
    with pytest.raises(ModelError, match="cut short, or damaged"):
        check_file(path)
    path.write_bytes(content)
    check_file(path)
