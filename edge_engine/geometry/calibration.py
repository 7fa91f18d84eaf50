"""Calibration: a lens from what the configuration says, or from the file that it names.

Files are those of ROS's camera_calibration, a YAML with the names of sensor_msgs/CameraInfo's fields, and of
OpenCV's FileStorage (YAML, XML or JSON), with the names that OpenCV's calibration sample and others use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import cv2
import msgspec
import numpy as np
from msgspec import Meta

from edge_engine.config import CameraConfig, IntrinsicsConfig
from edge_engine.errors import ConfigError, one_line
from edge_engine.geometry.lens import DISTORTIONS, Lens, Size, lens_of_hfov
from edge_engine.yaml.source import Document, parse, read_text, shown_name
from edge_engine.yaml.struct import build

LensFor: TypeAlias = Callable[[Size], Lens]
"""The lens for pictures of a size; raises AspectError where they can't be the calibrated ones."""

_FILE_STORAGE = ("%YAML", "<?xml", "<opencv_storage", "{")
_MATRIX = ("camera_matrix", "cameraMatrix", "Camera_Matrix", "K", "mtx")
_DISTORTION = ("distortion_coefficients", "Distortion_Coefficients", "distCoeffs", "dist_coeffs", "D", "dist")
_WIDTH, _HEIGHT = ("image_width", "image_Width", "width"), ("image_height", "image_Height", "height")

Numbers = Annotated[tuple[float, ...], Meta(description="a list of numbers")]


class RosMatrix(msgspec.Struct, frozen=True, kw_only=True):
    rows: int
    cols: int
    data: Numbers


class RosCameraInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What is needed of it; the models are those of ROS's sensor_msgs/distortion_models.hpp."""

    image_width: int
    image_height: int
    camera_matrix: RosMatrix
    distortion_coefficients: RosMatrix
    distortion_model: Literal["plumb_bob", "rational_polynomial", "equidistant"] = "plumb_bob"


def lens_of(config: CameraConfig, where: str) -> LensFor:
    """Raises ConfigError, in one line; where no file is to be named, it begins with `where`."""
    given = [name for name in ("intrinsics", "file", "hfov_deg") if getattr(config, name) is not None]
    if len(given) != 1:
        found = " and ".join(given) or "none of them"
        raise ConfigError(f"{where}: expected one of intrinsics, file and hfov_deg, found {found}")
    if config.hfov_deg is not None:
        return partial(lens_of_hfov, config.hfov_deg, config.hfov_std_deg)
    if config.intrinsics is not None:
        return _lens(config.intrinsics, f"{where}.intrinsics").scaled
    assert config.file is not None
    name = shown_name(config.file)
    return _lens(_read(read_text(Path(config.file)), name), name).scaled


def _lens(said: IntrinsicsConfig, where: str) -> Lens:
    allowed = DISTORTIONS[said.model]
    if len(said.distortion) not in allowed:
        counts = " or ".join(map(str, allowed))
        raise ConfigError(
            f"{where}: distortion: expected {counts} numbers of a {said.model}, found {len(said.distortion)}"
        )
    return Lens(
        said.model,
        focal=(said.fx, said.fy),
        centre=(said.cx + 0.5, said.cy + 0.5),  # from the first pixel's corner
        size=said.size,
        distortion=np.array(said.distortion),
    )


def _read(text: str, name: str) -> IntrinsicsConfig:
    if text.lstrip().startswith(_FILE_STORAGE):
        return _read_file_storage(text, name)
    document = parse(text, name)
    if isinstance(document.value, dict):
        known = RosCameraInfo.__struct_fields__
        document.value = {key: value for key, value in document.value.items() if key in known}
        for key in ("camera_matrix", "distortion_coefficients"):
            if isinstance(document.value.get(key), dict):
                document.value[key].pop("dt", None)
    info = build(RosCameraInfo, document)
    return _intrinsics(
        name,
        info.camera_matrix.data,
        info.distortion_coefficients.data,
        (info.image_width, info.image_height),
        is_fisheye=info.distortion_model == "equidistant",
    )


def _read_file_storage(text: str, name: str) -> IntrinsicsConfig:
    try:
        storage = cv2.FileStorage(text, cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY)
        matrix, distortion = _node(storage, _MATRIX, name).mat(), _node(storage, _DISTORTION, name).mat()
        size = int(_node(storage, _WIDTH, name).real()), int(_node(storage, _HEIGHT, name).real())
        is_fisheye = bool(storage.getNode("fisheye_model").real())
    except (cv2.error, SystemError) as error:
        raise ConfigError(f"{name}: OpenCV can't read it: {one_line(error)}") from None
    return _intrinsics(
        name, matrix.ravel().tolist(), distortion.ravel().tolist(), size, is_fisheye=is_fisheye
    )


def _node(storage: Any, names: Iterable[str], name: str) -> Any:  # noqa: ANN401 - OpenCV's own kinds
    nodes = (storage.getNode(each) for each in names)
    node = next((node for node in nodes if not node.empty()), None)
    if node is None:
        raise ConfigError(f"{name}: none of {', '.join(names)} is there; expected a camera's calibration")
    return node


def _intrinsics(
    name: str, matrix: Iterable[float], distortion: Iterable[float], size: Size, *, is_fisheye: bool
) -> IntrinsicsConfig:
    """`matrix`: of three rows and columns, [[fx, 0, cx], [0, fy, cy], [0, 0, 1]]."""
    numbers = list(matrix)
    if len(numbers) != 9:
        raise ConfigError(f"{name}: camera_matrix: expected 9 numbers, found {len(numbers)}")
    said = {
        "fx": numbers[0],
        "fy": numbers[4],
        "cx": numbers[2],
        "cy": numbers[5],
        "size": list(size),
        "model": "fisheye" if is_fisheye else "pinhole",
        "distortion": list(distortion),
    }
    return build(IntrinsicsConfig, Document(name, said))
