"""CsiSource: a Jetson's CSI camera, through NVIDIA's image processor."""

from __future__ import annotations

from edge_engine.errors import ConfigError
from edge_engine.sources.gstreamer import GStreamerSource
from edge_engine.sources.pipelines import argus_camera
from edge_engine.sources.uri import Size, SourceUri


class CsiSource(GStreamerSource):
    """Options `size` and `fps`, which must be of one of the sensor's modes. Stamps are the driver's.

    Not run on a Jetson: only its pipeline's text is tested.
    """

    def __init__(self, uri: SourceUri, *, pace: bool, loop: bool) -> None:
        uri.expect_options("size", "fps")
        if not uri.target.isdecimal():
            raise ConfigError(f"source {uri.text}: expected a sensor's number, such as csi:0")
        self._size = uri.size()
        pipeline = argus_camera(int(uri.target), self._size, uri.rate())
        super().__init__(SourceUri("gstreamer", pipeline, {}, uri.text), pace=pace, loop=loop)

    def expected_size(self) -> Size | None:
        return self._size
