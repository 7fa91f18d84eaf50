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
_RESULT_KEYS: dict[Comparison, str] = {"bbox": "bbox", "segm": "segmentation", "keypoints": "keypoints"}
_IDLE = -1
# A result takes about 2 kB while it is judged; classes don't see each other, so few are judged at once.
_AT_ONCE = 50_000


class Seen(NamedTuple):
    """What is labelled and what was found in a picture of a size (width, height), in its pixels.

    `class_ids` and `scores` of the n objects found; `places`, for each comparison to be made, n of what is
    compared: boxes left, top, width, height; masks run-length encoded; keypoints x, y, score in turn.
    """

    size: tuple[int, int]
    labelled: list[Row]
    class_ids: NDArray[np.int32]
    scores: NDArray[np.float32]
    places: dict[Comparison, Sequence[Any] | NDArray[np.float64]]


class _Curves(NamedTuple):
    """`precision` is [overlaps, recalls, classes, areas, most objects], `recall` the same without recalls; -1
    where nothing is to be judged. `params` are the library's."""

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    params: Any


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
    counts = _counts(seen, len(labels))
    if not counts.any():
        raise DataError("no object in the pictures is labelled with a class that counts")
    judged = [_judged(by, group, seen, sigmas) for group in _groups(seen, len(labels))]
    return _read(judged, labels, counts)


def _groups(seen: Sequence[Seen], classes: int) -> list[list[int]]:
    """All classes in turn, as many together as have not too many results; at least one."""
    found = np.zeros(classes, np.int64)
    for each in seen:
        found += np.bincount(each.class_ids, minlength=classes)
    groups: list[list[int]] = []
    room = 0
    for category, count in enumerate(found.tolist()):
        if not groups or count > room:
            groups.append([])
            room = _AT_ONCE
        groups[-1].append(category)
        room -= count
    return groups


def _judged(
    by: Comparison, group: list[int], seen: Sequence[Seen], sigmas: NDArray[np.float64] | None
) -> _Curves:
    """Only the outcome of these classes is kept: what it was made from takes the most memory."""
    library = import_library()
    truth = library.COCO(_dataset(group, seen))
    found = truth.loadRes(_results(by, group, seen))
    evaluator = library.COCOeval_faster(truth, found, by, kpt_oks_sigmas=sigmas)
    evaluator.params.catIds = group
    evaluator.evaluate()
    evaluator.accumulate()
    precision, recall = (np.array(evaluator.eval[name]) for name in ("precision", "recall"))
    return _Curves(precision, recall, evaluator.params)


def _dataset(group: list[int], seen: Sequence[Seen]) -> dict[str, list[Row]]:
    """Ids from 1: the library takes a match with the annotation 0 for none."""
    wanted = set(group)
    images = [{"id": i, "width": each.size[0], "height": each.size[1]} for i, each in enumerate(seen, 1)]
    rows = [{**row, "image_id": i} for i, each in enumerate(seen, 1) for row in each.labelled]
    judged = (row for row in rows if row["category_id"] in wanted)
    annotations = [{**row, "id": number} for number, row in enumerate(judged, 1)]
    return {"images": images, "annotations": annotations, "categories": [{"id": i} for i in group]}


def _results(by: Comparison, group: list[int], seen: Sequence[Seen]) -> list[Row]:
    rows: list[Row] = []
    for image, each in enumerate(seen, 1):
        scores, class_ids, places = each.scores.tolist(), each.class_ids.tolist(), each.places[by]
        for i in np.flatnonzero(np.isin(each.class_ids, group)).tolist():
            place = places[i].tolist() if isinstance(places, np.ndarray) else places[i]
            row = {"image_id": image, "category_id": class_ids[i], "score": scores[i]}
            rows.append({**row, _RESULT_KEYS[by]: place})
    return rows


def _counts(seen: Sequence[Seen], classes: int) -> NDArray[np.int64]:
    judged = [row["category_id"] for each in seen for row in each.labelled if not row["iscrowd"]]
    return np.bincount(np.array(judged, np.int64), minlength=classes)


def _read(judged: Sequence[_Curves], labels: Sequence[str], counts: NDArray[np.int64]) -> AveragePrecision:
    params = judged[0].params
    precision = np.concatenate([each.precision for each in judged], axis=2)
    recall = np.concatenate([each.recall for each in judged], axis=1)
    areas, most = params.areaRngLbl, params.maxDets
    at50, at75 = (int(np.argmin(np.abs(params.iouThrs - overlap))) for overlap in (0.5, 0.75))
    has = {area: areas.index(area) for area in areas}

    def ap(area: str = "all", overlaps: Any = slice(None)) -> float | None:  # noqa: ANN401
        return _mean(precision[overlaps, :, :, has[area], -1]) if area in has else None

    def ar(area: str = "all", overlaps: Any = slice(None), limit: int | None = None) -> float | None:  # noqa: ANN401
        if area not in has or (limit is not None and limit not in most):
            return None
        return _mean(recall[overlaps, :, has[area], -1 if limit is None else most.index(limit)])

    classes = {
        labels[k]: ClassPrecision(
            int(counts[k]),
            _mean(precision[:, :, k, 0, -1]),
            _mean(precision[at50, :, k, 0, -1]),
            _mean(recall[:, k, 0, -1]),
        )
        for k in np.flatnonzero(counts).tolist()
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
