"""Page: the worst frames of a check as one self-contained HTML file, as recorded and as replayed."""

from __future__ import annotations

import base64
from html import escape

import cv2
import numpy as np

from edge_engine.errors import CorruptFrameError
from edge_engine.pixels import Image
from edge_engine.recording.reading import RecordedFrame, RecordingReader
from edge_engine.replay.run import Drifted, Replayed
from edge_engine.replay.survey import Survey
from edge_engine.wire import ResultMessage

_STYLE = """
:root { color-scheme: light dark }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1040px; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem } img { width: 100% }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: .5rem; margin: 1rem 0 }
"""
_INK = (80, 220, 60)
_WIDTH = 640


def page(done: Replayed, found: Survey) -> str:
    report = done.report
    title = f"{found.path.name}: {'drifted' if report.has_drifted else 'says what was recorded'}"
    told = "".join(
        f"<li>{escape(name)}: {each.drifted} of {each.compared} frames drifted, "
        f"recorded with {escape(each.recorded_model)}, replayed with {escape(report.model)}</li>"
        for name, each in report.streams.items()
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>'
        f"<h1>{escape(title)}</h1><ul>{told}</ul>{_frames(done.worst, found)}</body></html>\n"
    )


def _frames(worst: list[Drifted], found: Survey) -> str:
    pictures = _pictures({(each.drift.stream, each.drift.seq) for each in worst}, found)
    parts = []
    for drift, recorded, replayed in worst:
        said = "".join(f"<li>{escape(each)}</li>" for each in drift.what)
        parts.append(f"<h2>{escape(drift.stream)}, frame {drift.seq}</h2><ul>{said}</ul>")
        image = pictures.get((drift.stream, drift.seq))
        if image is not None:
            shown = _image(image, recorded, "as recorded") + _image(image, replayed, "as replayed")
            parts.append(f'<div class="pair">{shown}</div>')
    return "".join(parts)


def _pictures(wanted: set[tuple[str, int]], found: Survey) -> dict[tuple[str, int], Image]:
    """Read from the recording again; one that can't be shown is left out."""
    pictures: dict[tuple[str, int], Image] = {}
    reader = RecordingReader(found.path)
    for item in reader.items():
        if isinstance(item, RecordedFrame) and (key := (item.message.stream, item.message.seq)) in wanted:
            try:
                pictures[key] = item.pixels().bgr()
            except CorruptFrameError:
                continue
    reader.close()
    return pictures


def _image(picture: Image, result: ResultMessage, name: str) -> str:
    scale = _WIDTH / picture.shape[1]
    size = (_WIDTH, max(1, round(picture.shape[0] * scale)))
    image = np.ascontiguousarray(cv2.resize(picture, size), np.uint8)
    for row in result.objects:
        left, top, right, bottom = (round(length * scale) for length in row.xyxy)
        cv2.rectangle(image, (left, top), (right, bottom), _INK, 2)
        _write(image, f"{row.label} {row.score:.2f}", left, max(top - 4, 12))
    for line, tag in enumerate(result.tags, start=1):
        _write(image, f"{tag.label} {tag.score:.2f}", 6, 20 * line)
    jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
    data = base64.b64encode(jpeg).decode()
    return f'<figure><img alt="" src="data:image/jpeg;base64,{data}"><figcaption>{name}</figcaption></figure>'


def _write(image: Image, text: str, x: int, y: int) -> None:
    plain = text.encode("ascii", "replace").decode()
    for colour, thickness in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.putText(image, plain, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, thickness, cv2.LINE_AA)
