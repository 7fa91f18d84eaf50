"""models pull: a model of the catalogue or from an address, found by its name from then on."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_engine import zoo
from edge_engine.errors import ModelError, UsageError
from edge_engine.models.labels import COCO
from edge_engine.models.sidecar import load_sidecar
from edge_engine.zoo import catalogue as shipped
from edge_engine.zoo.catalogue import Record, catalogue_records
from edge_engine.zoo.pull import pull, wanted
from edge_engine.zoo.pulled import pulled_records, sha256_of
from tests.cli.program import PROGRAM, ROOT, assert_one_clear_line, run_program
from tests.zoo.serving import CONTENT, SHA256, Server, serving

LICENCES = {"Apache-2.0", "MIT", "BSD-3-Clause"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("served")) as started:
        yield started


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "edge_engine" / "zoo"


@pytest.fixture
def listed(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Record:
    """A catalogue whose only model, `small`, the local server has."""
    entry = catalogue_records()["yolox-nano"]
    fields = {"url": server.url("good"), "sha256": SHA256, "bytes": len(CONTENT), "sidecar": entry.sidecar}
    (tmp_path / "catalogue.json").write_text(json.dumps({"small": fields}))
    shutil.copytree(shipped.FOLDER / "sidecars", tmp_path / "sidecars")
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    return catalogue_records()["small"]


def pull_it(name_or_url: str, sha256: str | None = None, name: str | None = None) -> tuple[Path, bool]:
    return pull(*wanted(name_or_url, sha256, name), 5, lambda *_: None)


@pytest.mark.parametrize("name", catalogue_records())
def test_the_catalogue_is_complete(name: str) -> None:
    entry = catalogue_records()[name]
    assert entry.url.startswith("https://")
    assert wanted(name, entry.sha256.upper(), None) == (name, entry)
    assert entry.bytes
    assert entry.licence in LICENCES
    assert all([entry.task, entry.source, entry.description])


@pytest.mark.parametrize("name", [name for name in catalogue_records() if name.startswith("yolox")])
def test_a_sidecar_of_the_catalogue_says_what_the_model_does_not(name: str, tmp_path: Path) -> None:
    path = catalogue_records()[name].sidecar_path
    assert path is not None
    sidecar = load_sidecar(path.with_suffix(".onnx"))
    assert sidecar is not None
    assert (sidecar.labels, sidecar.input.colour, sidecar.input.letterbox) == (COCO, "BGR", "top-left")


def test_a_model_of_the_catalogue_is_found_by_its_name(listed: Record) -> None:
    with pytest.raises(ModelError, match="models pull small"):
        zoo.find_model("small")
    path, is_new = pull_it("small")
    assert is_new
    assert zoo.find_model("small") == path
    assert path.read_bytes() == CONTENT
    sidecar = load_sidecar(path)
    assert sidecar is not None
    assert sidecar.labels == COCO


def test_a_pulled_model_goes_before_a_folder_of_its_name(
    listed: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "small").mkdir()
    monkeypatch.chdir(tmp_path)
    assert zoo.find_model("small") == Path("small")
    path, _ = pull_it("small")
    assert zoo.find_model("small") == path


def test_what_is_here_already_needs_no_network(listed: Record, server: Server) -> None:
    pull_it("small")
    server.asked()
    assert pull_it("small")[1] is False
    assert server.asked() == []


def test_a_sidecar_that_somebody_changed_stays(listed: Record) -> None:
    path, _ = pull_it("small")
    path.with_suffix(".yaml").write_text("score_threshold: 0.9\n")
    path.unlink()
    pull_it("small")
    assert path.with_suffix(".yaml").read_text() == "score_threshold: 0.9\n"


def test_a_pulled_model_that_was_changed_is_refused_and_mended(listed: Record) -> None:
    path, _ = pull_it("small")
    path.write_bytes(CONTENT[:-1] + b"x")
    with pytest.raises(ModelError, match=r"differs .* edge-engine models pull small"):
        zoo.find_model("small")
    assert pull_it("small")[1] is True
    assert zoo.find_model("small").read_bytes() == CONTENT


def test_an_address_needs_a_checksum_and_gives_the_name(server: Server, cache: Path) -> None:
    url = server.url("good")
    with pytest.raises(UsageError, match="--sha256"):
        pull_it(url)
    assert pull_it(url, SHA256.upper())[0] == cache / "model.onnx"
    assert pull_it(url + "?token=secret", SHA256, "mine")[0] == cache / "mine.onnx"
    assert list(pulled_records()) == ["mine", "model"]
    assert "secret" not in (cache / "mine.json").read_text()


def test_a_name_that_is_another_models_is_refused(server: Server, tmp_path: Path) -> None:
    pull_it(server.url("good"), SHA256)
    (tmp_path / "model.onnx").write_bytes(b"another")
    other = "0" * 64
    for name in (None, "nanodet-g", "yolox-s"):
        with pytest.raises(UsageError, match="another model's already; give a name with --name"):
            pull_it((tmp_path / "model.onnx").as_uri(), other, name)


@pytest.mark.parametrize(
    ("address", "sha256", "name"),
    [
        ("ftp://127.0.0.1/a.onnx", SHA256, None),
        ("http:///a.onnx", SHA256, None),
        ("http://[bad/a.onnx", SHA256, None),
        ("file://host/a.onnx", SHA256, None),
        ("http://user:secret@127.0.0.1/a.onnx", SHA256, None),
        ("http://127.0.0.1/", SHA256, None),
        ("http://127.0.0.1/a.onnx", "12", None),
        ("http://127.0.0.1/a.onnx", SHA256, "../a"),
        ("http://127.0.0.1/a.onnx", SHA256, ""),
        ("yolox-s", SHA256, None),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(address: str, sha256: str, name: str | None) -> None:
    with pytest.raises(UsageError) as raised:
        wanted(address, sha256, name)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(("name", "words"), [("yolox-xxl", "yolox-nano"), ("nanodet-g", "ships with")])
def test_a_name_that_is_not_in_the_catalogue_lists_it(name: str, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        wanted(name, None, None)


def test_a_name_nearly_right_is_suggested() -> None:
    with pytest.raises(ModelError, match=r"did you mean yolox-nano\?"):
        zoo.find_model("yolox-nan")


def test_the_command_pulls_lists_and_says_where(server: Server, tmp_path: Path) -> None:
    shutil.copy(zoo.find_model("nanodet-g"), server.folder / "nanodet.onnx")
    url = f"http://127.0.0.1:{server.port}/good/nanodet.onnx"
    sha256 = zoo.entries()["nanodet-g"].sha256
    done = run_program("models", "pull", url, "--sha256", sha256, "--name", "mine")
    assert done.returncode == 0, done.stderr
    assert "mine: pulled, 4.1 MB" in done.stdout
    listed = json.loads(run_program("models", "--json").stdout)
    assert [listed[name]["state"] for name in ("nanodet-g", "mine", "yolox-s")] == [
        "bundled",
        "pulled",
        "catalogue",
    ]
    assert listed["mine"]["file"] == str(zoo.find_model("mine"))
    assert listed["yolox-s"]["file"] is None
    assert sha256_of(zoo.find_model("mine")) == sha256


def test_a_failure_is_one_line_and_an_exit_code(server: Server) -> None:
    lost = run_program("models", "pull", server.url("missing"), "--sha256", SHA256)
    assert_one_clear_line(lost, 3, "404")
    wrong = run_program("models", "pull", (server.folder / "model.onnx").as_uri(), "--sha256", "0" * 64)
    assert_one_clear_line(wrong, 2, "expected SHA-256 0000")


def test_a_full_disk_is_one_line(server: Server, cache: Path) -> None:
    """A limit on how long a file may get stands in for it: writing fails in the middle too."""
    command = " ".join([*PROGRAM, "models", "pull", server.url("good"), "--sha256", SHA256])
    done = subprocess.run(
        ["sh", "-c", f"ulimit -f 100; exec {command}"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert_one_clear_line(done, 2, "can't be written")
    assert not (cache / "model.onnx").exists()


def test_a_pull_that_was_killed_goes_on(server: Server, cache: Path) -> None:
    command = [*PROGRAM, "models", "pull", server.url("stall"), "--sha256", SHA256]
    partial = cache / f".{SHA256}.part"
    with subprocess.Popen(command, cwd=ROOT) as process:
        until_s = time.monotonic() + 60
        while not (partial.exists() and partial.stat().st_size > 0) and time.monotonic() < until_s:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    kept = partial.stat().st_size
    assert not (cache / "model.onnx").exists()
    server.asked()
    assert pull_it(server.url("good"), SHA256)[0].read_bytes() == CONTENT
    assert server.asked() == [f"/good/model.onnx bytes={kept}-"]
