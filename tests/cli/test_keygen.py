"""edge-engine keygen: what it writes, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.program import assert_one_clear_line, run_program


def test_it_tells_what_goes_where(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    assert f"keys: {keys}" in run_program("keygen", str(keys)).stdout
    assert f"{keys}/rover.key_secret" in run_program("keygen", str(keys), "--client", "rover").stdout
    names = sorted(str(path.relative_to(keys)) for path in keys.rglob("*.key*"))
    assert names == ["clients/rover.key", "rover.key_secret", "server.key", "server.key_secret"]


def test_keys_that_are_there_are_kept(tmp_path: Path) -> None:
    assert run_program("keygen", str(tmp_path)).returncode == 0
    assert_one_clear_line(run_program("keygen", str(tmp_path)), 2, "server.key", "delete it first")


def test_a_controllers_key_lies_apart_and_its_name_is_taken(tmp_path: Path) -> None:
    assert run_program("keygen", str(tmp_path)).returncode == 0
    assert (
        "desk may listen and control" in run_program("keygen", str(tmp_path), "--controller", "desk").stdout
    )
    assert (tmp_path / "controllers" / "desk.key").is_file()
    done = run_program("keygen", str(tmp_path), "--client", "desk")
    assert_one_clear_line(done, 2, "controllers/desk.key", "delete it first")


@pytest.mark.parametrize("name", ["../rover", "", "server", "a b", "a/b"])
def test_a_name_that_is_no_files_is_refused(name: str, tmp_path: Path) -> None:
    assert run_program("keygen", str(tmp_path)).returncode == 0
    assert_one_clear_line(
        run_program("keygen", str(tmp_path), "--client", name), 2, "--client", "letters, digits"
    )


def test_a_folder_that_can_t_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert_one_clear_line(run_program("keygen", str(tmp_path / "file" / "keys")), 2, "can't be made")


def test_an_open_endpoint_without_keys_is_refused(tmp_path: Path) -> None:
    done = run_program("run", "test:", "--publish", "tcp://0.0.0.0:*", "--seconds", "1")
    assert_one_clear_line(done, 2, "tcp://0.0.0.0:*", "keygen", "insecure: true")


def test_keys_that_are_not_there_are_one_line(tmp_path: Path) -> None:
    config = "streams: {a: {source: 'test:'}}\noutputs: {zeromq: {keys: nowhere}}\n"
    (tmp_path / "engine.yaml").write_text(config)
    done = run_program("run", str(tmp_path / "engine.yaml"))
    assert_one_clear_line(done, 2, "nowhere/server.key_secret", "keygen")
