"""Calibration files: those of ROS and of OpenCV give the same lens as the numbers themselves, or one line."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_engine.config import CameraConfig, IntrinsicsConfig, parse_config
from edge_engine.errors import ConfigError
from edge_engine.geometry.calibration import lens_of
from edge_engine.geometry.lens import Lens

SIZE = (640, 480)
DISTORTION = (-0.28, 0.07, 0.001, -0.0008, -0.004)

# As camera_calibration of ROS writes it.
ROS = """image_width: 640
image_height: 480
camera_name: narrow_stereo
camera_matrix:
  rows: 3
  cols: 3
  data: [430.15433, 0.0, 305.43442, 0.0, 429.5, 236.71828, 0.0, 0.0, 1.0]
distortion_model: plumb_bob
distortion_coefficients:
  rows: 1
  cols: 5
  data: [-0.28, 0.07, 0.001, -0.0008, -0.004]
rectification_matrix:
  rows: 3
  cols: 3
  data: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
projection_matrix:
  rows: 3
  cols: 4
  data: [353.8, 0.0, 304.5, 0.0, 0.0, 400.1, 237.9, 0.0, 0.0, 0.0, 1.0, 0.0]
"""


def lens(path: Path) -> Lens:
    return lens_of(CameraConfig(file=str(path), height_m=1), "stream a, camera")(SIZE)


def expected(distortion: tuple[float, ...] = DISTORTION, *, is_fisheye: bool = False) -> Lens:
    intrinsics = IntrinsicsConfig(
        fx=430.15433,
        fy=429.5,
        cx=305.43442,
        cy=236.71828,
        size=SIZE,
        model="fisheye" if is_fisheye else "pinhole",
        distortion=distortion,
    )
    return lens_of(CameraConfig(intrinsics=intrinsics, height_m=1), "stream a, camera")(SIZE)


def assert_same(a: Lens, b: Lens) -> None:
    assert (a.model, a.size) == (b.model, b.size)
    assert a.focal == pytest.approx(b.focal)
    assert a.centre == pytest.approx(b.centre)
    assert a.distortion == pytest.approx(b.distortion)


def write_opencv(path: Path, distortion: tuple[float, ...], *, is_fisheye: bool = False) -> Path:
    """By OpenCV itself, with the names of its calibration sample."""
    storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_WRITE)
    storage.write("calibration_time", "Thu 01 Jan 1970 00:00:00")
    storage.write("image_width", 640)
    storage.write("image_height", 480)
    storage.write("fisheye_model", int(is_fisheye))
    storage.write("camera_matrix", np.array([[430.15433, 0, 305.43442], [0, 429.5, 236.71828], [0, 0, 1]]))
    storage.write("distortion_coefficients", np.array([distortion]).T)
    storage.release()
    return path


def test_a_file_of_ros_gives_its_lens(tmp_path: Path) -> None:
    (tmp_path / "ros.yaml").write_text(ROS)
    assert_same(lens(tmp_path / "ros.yaml"), expected())


def test_an_equidistant_file_of_ros_is_a_fisheye(tmp_path: Path) -> None:
    text = ROS.replace("plumb_bob", "equidistant").replace(", -0.004]", "]").replace("cols: 5", "cols: 4")
    (tmp_path / "ros.yaml").write_text(text)
    assert_same(lens(tmp_path / "ros.yaml"), expected(DISTORTION[:4], is_fisheye=True))


@pytest.mark.parametrize("suffix", ["yml", "yaml", "xml", "json"])
def test_a_file_of_opencv_gives_its_lens(tmp_path: Path, suffix: str) -> None:
    assert_same(lens(write_opencv(tmp_path / f"opencv.{suffix}", DISTORTION)), expected())


def test_a_fisheye_file_of_opencv_is_one(tmp_path: Path) -> None:
    path = write_opencv(tmp_path / "opencv.yml", DISTORTION[:4], is_fisheye=True)
    assert_same(lens(path), expected(DISTORTION[:4], is_fisheye=True))


BAD = {
    "a matrix of four numbers": (
        ROS.replace("236.71828, 0.0, 0.0, 1.0]", "1]"),
        "expected 9 numbers, found 6",
    ),
    "an unknown model": (
        ROS.replace("plumb_bob", "omni"),
        ":8: distortion_model: expected equidistant or plumb_bob or ",
    ),
    "no matrix": (ROS.replace("camera_matrix", "matrix"), 'key "camera_matrix" is missing'),
    "a word for a number": (ROS.replace("429.5", "wide"), "camera_matrix.data: expected a list of numbers"),
    "no focal length": (ROS.replace("429.5", "0.0"), "fy: expected a number from 1 to 100000, found 0.0"),
    "three coefficients": (
        ROS.replace("0.001, -0.0008, ", ""),
        "expected 0 or 4 or 5 or 8 numbers of a pinhole",
    ),
    "not a calibration": ("%YAML:1.0\n---\nboard_width: 9\n", "none of camera_matrix, "),
    "half an OpenCV file": (
        "%YAML:1.0\n---\ncamera_matrix: !!opencv-matrix\n   rows: 3\n",
        "OpenCV can't read it",
    ),
    "a number for a matrix": (
        "%YAML:1.0\n---\ncamera_matrix: 3\nD: 4\nwidth: 5\nheight: 5\n",
        "OpenCV can't read it",
    ),
    "nothing": ("", "the file is empty"),
}


@pytest.mark.parametrize("what", sorted(BAD))
def test_a_bad_file_is_one_line_that_names_it(
    tmp_path: Path, what: str, capfd: pytest.CaptureFixture[str]
) -> None:
    text, words = BAD[what]
    (tmp_path / "camera.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        lens(tmp_path / "camera.yaml")
    line = str(caught.value)
    assert line.startswith(str(tmp_path / "camera.yaml")), line
    assert words in line
    assert "\n" not in line
    assert capfd.readouterr() == ("", "")


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.yaml: can't be read: No such file"):
        lens(tmp_path / "gone.yaml")


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("{hfov_deg: 70}", 'a.camera: key "height_m" is missing; expected a number from 0.01 to 1000'),
        ("{hfov_deg: 700, height_m: 1}", "a.camera.hfov_deg: expected a number from 1 to 170, found 700"),
        ("{hfov: 70, height_m: 1}", 'a.camera.hfov: unknown key "hfov"; did you mean "hfov_deg"?'),
        ("{intrinsics: {fx: 1}, height_m: 1}", 'a.camera.intrinsics: key "fy" is missing'),
        (
            "{hfov_deg: 70, height_m: 1, heights_m: {person: 0}}",
            "heights_m.person: expected a number from 0.01",
        ),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it(said: str, line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(f"streams: {{a: {{source: a.mp4, camera: {said}}}}}", "x.yaml")
    assert str(caught.value).startswith("x.yaml:1: streams.a.camera")
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("config", "found"),
    [
        (CameraConfig(height_m=1), "found none of them"),
        (CameraConfig(height_m=1, hfov_deg=70, file="x.yaml"), "found file and hfov_deg"),
    ],
)
def test_a_lens_is_said_in_one_way(config: CameraConfig, found: str) -> None:
    expected_one = "stream a, camera: expected one of intrinsics, file and hfov_deg, "
    with pytest.raises(ConfigError, match=expected_one + found):
        lens_of(config, "stream a, camera")
