"""Our kernels and preprocessing against OpenCV's, torchvision's and plain numpy, in turns.

    python tools/kernels.py [--turns N]

Decoding and suppression of 8,400 anchors × 80 classes, as YOLOv8 gives them for 640 × 640, instance masks
from 32 prototypes of 160 × 160, and one picture of 1280 × 720 into a model's input. torchvision takes part
where it is installed (the `peers` extra); numpy's matrix products get one thread by OPENBLAS_NUM_THREADS=1.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_engine import kernels
from edge_engine.kernels.masks import cut_masks
from edge_engine.kernels.nms import nms
from edge_engine.kernels.rows import decode_rows
from edge_engine.letterbox import Letterbox
from edge_engine.models.families.candidates import Candidates
from edge_engine.pixels import BgrPixels
from tests.reference.masks import cells_in_boxes
from tests.reference.nms import nms_reference
from tests.reference.rows import decode_rows_reference

ANCHORS, CLASSES, SCORE, IOU = 8400, 80, 0.25, 0.45
Work = Callable[[], Any]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--turns", type=int, default=100, help="measurements of each (default 100)")
    turns = parser.parse_args().turns
    cv2.setNumThreads(1)
    kernels.warm_up()
    for objects in (20, 200):
        output = street(objects)
        print(f"decode + NMS of {ANCHORS} x {CLASSES}, {objects} objects")
        show(measure(suppressions(output), turns))
        print(f"masks of {objects} objects, a twentieth of the picture each")
        show(measure(maskings(objects), turns))
    print("1280 x 720 BGR into a model's input of 416 x 416")
    show(measure(preprocessings(), turns))


def street(objects: int) -> NDArray[np.float32]:
    """[4 + classes, anchors]: each object is found by some thirty anchors around it, the rest is noise."""
    rng = np.random.default_rng(7)
    output = rng.random((4 + CLASSES, ANCHORS), np.float32) * 0.05
    output[:4] = rng.uniform(0, 640, (4, ANCHORS))
    for _ in range(objects):
        box, class_id = rng.uniform(40, 600, 4), rng.integers(CLASSES)
        for anchor in rng.choice(ANCHORS, 30, replace=False):
            output[:4, anchor] = box * rng.uniform(0.95, 1.05, 4)
            output[4 + class_id, anchor] = rng.uniform(0.3, 0.95)
    return output


def suppressions(output: NDArray[np.float32]) -> dict[str, Work]:
    """Each finds the same boxes, which is checked."""
    candidates, best = Candidates(cap=ANCHORS), np.empty(ANCHORS, np.float32)

    def ours() -> int:
        found = candidates.boxes_xyxy, candidates.scores, candidates.class_ids
        count = decode_rows(output, SCORE, best, *found, candidates.rows, 0)
        return len(nms(*(array[:count] for array in found), IOU))

    def plain_numpy() -> int:
        boxes, scores, class_ids = decode_rows_reference(output, SCORE)
        return len(nms_reference(boxes, scores, class_ids, IOU))

    def opencv() -> int:
        columns = output.T
        class_ids = columns[:, 4:].argmax(axis=1)
        scores = columns[:, 4:].max(axis=1)
        is_candidate = scores >= SCORE
        boxes = columns[is_candidate, :4].copy()
        boxes[:, :2] -= boxes[:, 2:] / 2  # x, y, width, height
        return len(cv2.dnn.NMSBoxesBatched(boxes, scores[is_candidate], class_ids[is_candidate], SCORE, IOU))

    ways = {"edge_engine": ours, "numpy": plain_numpy, "cv2.dnn.NMSBoxesBatched": opencv}
    ways |= with_torchvision(output)
    found = {name: way() for name, way in ways.items()}
    assert len(set(found.values())) == 1, found
    return ways


def with_torchvision(output: NDArray[np.float32]) -> dict[str, Work]:
    try:
        import torch
        from torchvision.ops import batched_nms, box_convert
    except ImportError:
        return {}
    torch.set_num_threads(1)
    tensor = torch.from_numpy(output)

    def torchvision() -> int:
        scores, class_ids = tensor[4:].max(dim=0)
        is_candidate = scores >= SCORE
        boxes = box_convert(tensor[:4, is_candidate].T, "cxcywh", "xyxy")
        return len(batched_nms(boxes, scores[is_candidate], class_ids[is_candidate], IOU))

    return {"torchvision": torchvision}


def maskings(objects: int) -> dict[str, Work]:
    rng = np.random.default_rng(7)
    coefficients = rng.normal(size=(objects, 32)).astype(np.float32)
    protos = rng.normal(size=(32, 160, 160)).astype(np.float32)
    left_top = rng.uniform(0, 480, (objects, 2))
    boxes = np.concatenate([left_top, left_top + 143], axis=1).astype(np.float32)

    def ours() -> NDArray[np.uint8]:
        return cut_masks(coefficients, protos, boxes, (640, 640))

    def plain_numpy() -> NDArray[np.uint8]:
        """Every mask whole, in one product of matrices, and then cropped."""
        is_inside = (coefficients @ protos.reshape(32, -1)).reshape(objects, 160, 160) > 0
        is_inside &= cells_in_boxes(boxes, (160, 160), (640, 640))
        return is_inside.view(np.uint8)

    differ = ours() != plain_numpy()
    assert differ.mean() < 1e-5, differ.sum()  # sums of nearly 0 fall to either side
    return {"edge_engine": ours, "numpy": plain_numpy}


def preprocessings() -> dict[str, Work]:
    image = np.random.default_rng(1).integers(0, 255, (720, 1280, 3), np.uint8)
    slot = np.full((416, 416, 3), 114, np.uint8)
    box = Letterbox.fit((1280, 720), (416, 416), "centre")
    place = slot[box.top : box.top + box.height, box.left : box.left + box.width]
    mean, std = np.float32([123.7, 116.3, 103.5]), np.float32([58.4, 57.1, 57.4])

    def ours() -> None:
        BgrPixels(image).resize_into(place, "BGR")

    def plain_numpy() -> NDArray[np.float32]:
        """As tutorials write it: letterbox, channels turned, float, normalised, transposed, copied."""
        resized = cv2.resize(image, (box.width, box.height))
        below, right = 416 - box.top - box.height, 416 - box.left - box.width
        border = cv2.BORDER_CONSTANT
        boxed = cv2.copyMakeBorder(resized, box.top, below, box.left, right, border, value=(114, 114, 114))
        normalised = (boxed[..., ::-1].astype(np.float32) - mean) / std
        return np.ascontiguousarray(normalised.transpose(2, 0, 1)[None])

    return {"edge_engine": ours, "numpy": plain_numpy}


def measure(ways: dict[str, Work], turns: int) -> dict[str, list[float]]:
    """Milliseconds per call, one call of each way per turn."""
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(turns):
        for name, way in ways.items():
            started = time.perf_counter_ns()
            way()
            took[name].append((time.perf_counter_ns() - started) / 1e6)
    return took


def show(took: dict[str, list[float]]) -> None:
    """Medians, and how many times as long as ours, with the middle half of the turns' ratios."""
    ours = np.array(took["edge_engine"])
    for name, ms in took.items():
        low, middle, high = np.percentile(np.array(ms) / ours, [25, 50, 75])
        print(f"  {name:24} {np.median(ms):7.3f} ms   x {middle:5.1f}  ({low:.1f} to {high:.1f})")


if __name__ == "__main__":
    main()
