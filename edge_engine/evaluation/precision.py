"""Precision: COCO's average precision and recall, computed by faster-coco-eval as pycocotools has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edge_engine.errors import DataError, UsageError, one_line
from edge_engine.evaluation.report import AveragePrecision, ClassPrecision

Comparison: TypeAlias = Literal["bbox", "segm", "keypoints"]
"""What two objects are compared by, in the library's words."""

Row: TypeAlias = dict[str, Any]
"""An annotation or a result as in COCO's formats, without ids; `category_id` is the model's class id."""

# A result with a box and a mask would have the box's area.
_RESULT_KEYS = {"bbox": "bbox", "segm": "segmentation", "keypoints": "keypoints"}
_IDLE = -1


class Seen(NamedTuple):
    """What is labelled and what was found in a picture of a size (width, height), in its pixels."""

    size: tuple[int, int]
    labelled: list[Row]
    found: list[Row]


def import_library() -> Any:  # noqa: ANN401 - it has no types
    """faster_coco_eval; UsageError where it isn't installed."""
    try:
        import faster_coco_eval
    except ImportError as error:
        raise UsageError(
            f"average precision needs faster-coco-eval ({one_line(error)}): pip install 'edge-engine[eval]'"
        ) from None
    return faster_coco_eval


def average_precision(
    by: Comparison, labels: Sequence[str], seen: Sequence[Seen], sigmas: NDArray[np.float64] | None = None
) -> AveragePrecision:
    """Equal scores are ranked in the order of `seen`. `sigmas`: each keypoint's, for OKS.

    Raises DataError where nothing that counts is labelled.
    """
    library = import_library()
    counts = _counts(seen, len(labels))
    if not counts.any():
        raise DataError("no object in the pictures is labelled with a class that counts")
    truth = library.COCO(_dataset(labels, seen))
    found = truth.loadRes(_results(by, seen))
    evaluator = library.COCOeval_faster(truth, found, by, kpt_oks_sigmas=sigmas)
    evaluator.evaluate()
    evaluator.accumulate()
    return _read(evaluator, labels, counts)


def _dataset(labels: Sequence[str], seen: Sequence[Seen]) -> dict[str, list[Row]]:
    """Ids from 1: the library takes a match with the annotation 0 for none."""
    images = [{"id": i, "width": each.size[0], "height": each.size[1]} for i, each in enumerate(seen, 1)]
    rows = [{**row, "image_id": i} for i, each in enumerate(seen, 1) for row in each.labelled]
    annotations = [{**row, "id": number} for number, row in enumerate(rows, 1)]
    categories: list[Row] = [{"id": i, "name": label} for i, label in enumerate(labels)]
    return {"images": images, "annotations": annotations, "categories": categories}


def _results(by: Comparison, seen: Sequence[Seen]) -> list[Row]:
    keys = ("category_id", "score", _RESULT_KEYS[by])
    return [{"image_id": i, **{k: row[k] for k in keys}} for i, s in enumerate(seen, 1) for row in s.found]


def _counts(seen: Sequence[Seen], classes: int) -> NDArray[np.int64]:
    judged = [row["category_id"] for each in seen for row in each.labelled if not row["iscrowd"]]
    return np.bincount(np.array(judged, np.int64), minlength=classes)


def _read(evaluator: Any, labels: Sequence[str], counts: NDArray[np.int64]) -> AveragePrecision:  # noqa: ANN401
    """`precision` is [overlaps, recalls, classes, areas, most objects], -1 where nothing is to be judged."""
    precision, recall = evaluator.eval["precision"], evaluator.eval["recall"]
    areas, most = evaluator.params.areaRngLbl, evaluator.params.maxDets
    at50, at75 = (int(np.argmin(np.abs(evaluator.params.iouThrs - overlap))) for overlap in (0.5, 0.75))
    has = {area: areas.index(area) for area in areas}

    def ap(area: str = "all", overlaps: Any = slice(None)) -> float | None:  # noqa: ANN401
        return _mean(precision[overlaps, :, :, has[area], -1]) if area in has else None

    def ar(area: str = "all", overlaps: Any = slice(None), limit: int | None = None) -> float | None:  # noqa: ANN401
        if area not in has or (limit is not None and limit not in most):
            return None
        return _mean(recall[overlaps, :, has[area], -1 if limit is None else most.index(limit)])

    classes = {
        labels[category]: ClassPrecision(
            int(counts[category]),
            _mean(precision[:, :, k, 0, -1]),
            _mean(precision[at50, :, k, 0, -1]),
            _mean(recall[:, k, 0, -1]),
        )
        for k, category in enumerate(evaluator.params.catIds)
        if counts[category]
    }
    return AveragePrecision(
        ap=ap(),
        ap50=ap(overlaps=at50),
        ap75=ap(overlaps=at75),
        ap_small=ap("small"),
        ap_medium=ap("medium"),
        ap_large=ap("large"),
        ar=ar(),
        ar50=ar(overlaps=at50),
        ar75=ar(overlaps=at75),
        ar_small=ar("small"),
        ar_medium=ar("medium"),
        ar_large=ar("large"),
        ar1=ar(limit=1),
        ar10=ar(limit=10),
        most=most[-1],
        classes=classes,
    )


def _mean(values: NDArray[np.float64]) -> float | None:
    judged = values[values > _IDLE]
    return float(judged.mean()) if judged.size else None
