"""The cameras of this machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from edge_engine.diagnosis.finding import Finding


def cameras() -> Iterator[Finding]:
    if sys.platform != "linux":
        return
    from edge_engine.sources.v4l2.listing import list_cameras

    found = list_cameras()
    for camera in found:
        if camera.problem:
            yield Finding(f"camera {camera.device}", "note", camera.problem)
        else:
            formats = ", ".join(camera.formats) or "no format"
            yield Finding(f"camera {camera.device}", "ok", f"{camera.name}: {formats}")
    if not found:
        cure = "plug one in; in a container, docker run --device /dev/video0"
        yield Finding("cameras", "note", "there is no /dev/video* that gives pictures", cure)
