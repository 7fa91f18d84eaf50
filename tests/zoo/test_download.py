"""Download: against a real server in another process, and its faults."""

from __future__ import annotations

import fcntl
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_engine.errors import EdgeEngineError, ModelError, SourceError, UsageError
from edge_engine.zoo.download import Wanted, fetch
from tests.zoo.serving import CONTENT, SHA256, Server, serving

HALF = len(CONTENT) // 2


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("served")) as started:
        yield started


@pytest.fixture
def server(shared_server: Server) -> Server:
    shared_server.asked()
    return shared_server


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "model.onnx"


def get(url: str, target: Path, *, size: int | None = len(CONTENT), timeout_s: float = 10) -> list[int]:
    """Fetches it; what was shown meanwhile."""
    shown: list[int] = []
    fetch(Wanted(url, SHA256, size), target, timeout_s, lambda done, _: shown.append(done))
    return shown


def leave(target: Path, data: bytes) -> Path:
    """As a download that was cut off leaves it."""
    partial = target.parent / f".{SHA256}.part"
    partial.parent.mkdir(parents=True, exist_ok=True)
    partial.write_bytes(data)
    return partial


@pytest.mark.parametrize("fault", ["good", "rangeless", "redirect", "once", "unmeasured"])
@pytest.mark.parametrize("size", [len(CONTENT), None])
def test_the_file_arrives_whole_and_nothing_else_is_left(
    server: Server, target: Path, fault: str, size: int | None
) -> None:
    shown = get(server.url(fault), target, size=size)
    assert target.read_bytes() == CONTENT
    assert list(target.parent.iterdir()) == [target]
    assert shown == sorted(shown)
    assert shown[-1] == len(CONTENT)


def test_what_was_cut_off_goes_on_where_it_stopped(server: Server, target: Path) -> None:
    leave(target, CONTENT[:HALF])
    get(server.url("good"), target)
    assert server.asked() == [f"/good/model.onnx bytes={HALF}-"]
    assert target.read_bytes() == CONTENT


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(left=st.integers(0, len(CONTENT)), wrong=st.none() | st.integers(0, len(CONTENT) - 1))
def test_whatever_was_left_the_file_arrives_whole(
    server: Server, target: Path, left: int, wrong: int | None
) -> None:
    """Cut off anywhere, and perhaps with a wrong byte."""
    begun = bytearray(CONTENT[:left])
    if wrong is not None and wrong < left:
        begun[wrong] ^= 1
    leave(target, bytes(begun))
    get(server.url("good"), target)
    assert target.read_bytes() == CONTENT
    assert list(target.parent.iterdir()) == [target]


def test_a_server_that_knows_no_ranges_sends_it_anew(server: Server, target: Path) -> None:
    leave(target, CONTENT[:HALF])
    get(server.url("rangeless"), target)
    assert target.read_bytes() == CONTENT


def test_what_is_whole_already_needs_no_server(server: Server, target: Path) -> None:
    leave(target, CONTENT)
    get(server.url("good"), target)
    assert server.asked() == []
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("left", [b"x" * HALF, b"x" * len(CONTENT), CONTENT + b"more"])
def test_what_was_left_wrong_is_fetched_anew(server: Server, target: Path, left: bytes) -> None:
    leave(target, left)
    get(server.url("good"), target)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        ("missing", SourceError, "404"),
        ("busy", SourceError, "503"),
        ("cut", SourceError, f"of {len(CONTENT)} bytes; the same command goes on"),
        ("rangeless_cut", SourceError, f"ended after {HALF} of {len(CONTENT)} bytes"),
        ("stall", SourceError, "nothing came for 0.5 s"),
        ("drip", SourceError, "too slow"),
        ("other_range", SourceError, "another part"),
        ("endless", ModelError, f"more than the {len(CONTENT)} bytes"),
        ("to_file", SourceError, "file:"),
        ("to_ftp", SourceError, "ftp:"),
        ("round", SourceError, "redirect"),
        ("nonsense", SourceError, "can't be reached"),
    ],
)
def test_a_fault_is_one_line_and_no_file(
    server: Server, target: Path, fault: str, error: type[EdgeEngineError], words: str
) -> None:
    with pytest.raises(error, match=words) as raised:
        get(server.url(fault), target, timeout_s=0.5)
    assert "\n" not in str(raised.value)
    assert not target.exists()


@pytest.mark.parametrize("fault", ["stall", "cut", "rangeless_cut"])
def test_what_came_before_a_fault_is_kept_for_the_next_try(server: Server, target: Path, fault: str) -> None:
    with pytest.raises(SourceError):
        get(server.url(fault), target, timeout_s=0.5)
    server.asked()
    get(server.url("good"), target)
    (asked,) = server.asked()
    assert int(asked.split("=")[1].rstrip("-")) >= HALF
    assert target.read_bytes() == CONTENT


def test_a_wrong_checksum_leaves_nothing(server: Server, target: Path) -> None:
    wrong = SHA256[::-1]
    with pytest.raises(ModelError, match=f"expected SHA-256 {wrong}, found {SHA256}"):
        fetch(Wanted(server.url("good"), wrong), target, 10, lambda *_: None)
    assert list(target.parent.iterdir()) == []


def test_a_file_of_another_length_is_refused_before_it_comes(server: Server, target: Path) -> None:
    with pytest.raises(ModelError, match=f"has {len(CONTENT)} bytes, expected 7"):
        get(server.url("good"), target, size=7)
    assert list(target.parent.iterdir()) == []


def test_a_server_that_is_not_there_is_one_line(target: Path) -> None:
    with socket.socket() as bound:  # bound but not listening: refuses
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(SourceError, match="can't be reached: Connection refused"):
            get(f"http://127.0.0.1:{bound.getsockname()[1]}/a.onnx", target)
    assert list(target.parent.iterdir()) == []


def test_a_file_address_is_copied_and_checked(server: Server, target: Path) -> None:
    get((server.folder / "model.onnx").as_uri(), target)
    assert target.read_bytes() == CONTENT
    with pytest.raises(SourceError, match="no such file"):
        get((server.folder / "none.onnx").as_uri(), target.with_name("other.onnx"))


def test_two_downloads_of_one_file_do_not_mix(server: Server, target: Path) -> None:
    with leave(target, b"half").open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(UsageError, match="under way"):
            get(server.url("good"), target)
    assert not target.exists()


def test_a_folder_that_cannot_be_written_is_one_line(server: Server, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(UsageError, match="can't be written"):
        get(server.url("good"), tmp_path / "cache" / "model.onnx")


def test_a_secret_in_the_address_is_not_told(server: Server, target: Path) -> None:
    with pytest.raises(SourceError) as raised:
        get(server.url("missing") + "?token=secret", target)
    assert "secret" not in str(raised.value)
