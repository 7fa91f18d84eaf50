"""Makes the pictures with known content that `edge-engine inspect` tries a model on.

    pip install 'edge-engine[import]'
    python tools/import_pictures.py

They come from scikit-image's data, whose documentation names them public domain or CC0, made smaller.
"""

from __future__ import annotations

import hashlib
import json
import sys
from importlib.util import find_spec
from pathlib import Path

import cv2

TARGET = Path(__file__).parents[1] / "edge_engine" / "pictures"
LONGEST_SIDE = 448
# What can be seen there, in the words of COCO, VOC and ImageNet.
PICTURES = {
    "astronaut": (["person", "face"], "public domain, NASA (Eileen Collins)"),
    "chelsea": (["cat", "tabby"], "CC0, Stéfan van der Walt"),
    "coffee": (["cup", "espresso", "coffee mug"], "CC0, Rachel Michetti"),
}


def main() -> None:
    package = find_spec("skimage")
    if package is None or package.submodule_search_locations is None:
        sys.exit("scikit-image is missing: pip install 'edge-engine[import]'")
    folder = Path(package.submodule_search_locations[0]) / "data"
    index = {}
    for name, (shows, licence) in PICTURES.items():
        image = cv2.imread(str(folder / f"{name}.png"), cv2.IMREAD_COLOR)
        assert image is not None
        scale = LONGEST_SIDE / max(image.shape[:2])
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        packed = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
        (TARGET / f"{name}.jpg").write_bytes(packed)
        digest = hashlib.sha256(packed).hexdigest()
        index[name] = {"file": f"{name}.jpg", "sha256": digest, "shows": shows, "licence": licence}
    (TARGET / "index.json").write_text(json.dumps(index, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
