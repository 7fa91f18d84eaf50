"""The ready-made pipelines' text; with the elements that are here put in for the boards' own, it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_engine.errors import ConfigError, SourceError
from edge_engine.sources.csi import CsiSource
from edge_engine.sources.pipelines import JETSON, RASPBERRY_PI, SOFTWARE, argus_camera, file, rtsp
from edge_engine.sources.uri import parse_uri
from tests.sources.made import make_video
from tests.sources.test_gstreamer import needs_gstreamer, opened, read

CAMERA = (
    "nvarguscamerasrc sensor-id=1 ! video/x-raw(memory:NVMM),format=NV12,width=1280,height=720,framerate=30/1"
    " ! nvvidconv ! video/x-raw,format=NV12"
)


def csi(uri: str) -> CsiSource:
    return CsiSource(parse_uri(uri), pace=True, loop=False)


def test_a_jetsons_camera_is_asked_for_what_the_uri_says() -> None:
    assert argus_camera(1, (1280, 720), 30) == CAMERA
    assert argus_camera(0, None, None).count("!") == 3
    assert "framerate=2997/100" in argus_camera(0, None, 29.97)
    source = csi("csi:1?size=1280x720&fps=30")
    assert source.expected_size() == (1280, 720)
    assert source.description == "csi:1?size=1280x720&fps=30"


@pytest.mark.parametrize("uri", ["csi:front", "csi:0?sensor=1", "csi:0?size=big", "csi:0?fps=0"])
def test_a_camera_that_is_asked_for_wrongly_is_refused(uri: str) -> None:
    with pytest.raises(ConfigError, match=uri.split("?")[0]):
        csi(uri)


@needs_gstreamer
def test_where_there_is_no_jetson_one_line_says_so() -> None:
    with pytest.raises(
        SourceError, match='csi:0: no element "nvarguscamerasrc"; NVIDIA\'s elements are there'
    ):
        csi("csi:0").open()


@needs_gstreamer
def test_the_cameras_pipeline_runs_with_other_elements_in_place_of_nvidias() -> None:
    here = CAMERA.replace("nvarguscamerasrc sensor-id=1", "videotestsrc is-live=true")
    here = here.replace("(memory:NVMM)", "").replace("nvvidconv", "videoconvert")
    with opened(here) as source:
        assert read(source).pixels.size == (1280, 720)
        assert source.description.endswith(": 1280x720 NV12 at 30 fps")


def test_decoders_get_the_stream_that_they_decode() -> None:
    assert rtsp("rtsp://cam/1", JETSON, "h265") == (
        'rtspsrc location="rtsp://cam/1" protocols=tcp latency=0 ! rtph265depay ! h265parse ! nvv4l2decoder '
        "! nvvidconv ! video/x-raw,format=NV12"
    )
    assert rtsp("rtsp://cam/1", RASPBERRY_PI).endswith("rtph264depay ! h264parse ! v4l2h264dec ! video/x-raw")


@needs_gstreamer
def test_a_files_pipeline_runs_with_a_decoder_that_is_here(tmp_path: Path) -> None:
    clip = tmp_path / 'a "clip" of\\ours.mkv'
    make_video(clip)
    with opened(file(str(clip), SOFTWARE["h264"])) as source:
        assert read(source).pixels.size == (64, 48)
        while source.read() is not None:
            pass
