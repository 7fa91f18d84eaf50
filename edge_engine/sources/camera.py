"""CameraSource: a camera on this machine: by V4L2 on Linux, elsewhere through OpenCV."""

from __future__ import annotations

import sys

if sys.platform == "linux":
    from edge_engine.sources.v4l2.camera import V4l2CameraSource as CameraSource
else:
    from edge_engine.sources.opencv_camera import OpenCvCameraSource as CameraSource

__all__ = ["CameraSource"]
