"""Report: how right a model was, as `edge-engine eval --json` has it.

Shares are 0 to 1; None says that there was nothing to judge.
"""

from __future__ import annotations

import msgspec

REPORT_VERSION = 1


class ClassPrecision(msgspec.Struct, frozen=True):
    """`labelled`: how many such objects there are, crowds not counted."""

    labelled: int
    ap: float | None
    ap50: float | None
    ar: float | None


class AveragePrecision(msgspec.Struct, frozen=True):
    """COCO's (cocodataset.org, "detection evaluation"): the mean over classes and, but for `ap50` and `ap75`,
    over overlaps of 0.50 to 0.95.

    `ar`: the highest recall, with `most` objects of a class in a picture. Small is an area under 32², large
    one over 96² pixels. `classes`: those that are labelled, by name.
    """

    ap: float | None
    ap50: float | None
    ap75: float | None
    ap_small: float | None
    ap_medium: float | None
    ap_large: float | None
    ar: float | None
    ar50: float | None
    ar75: float | None
    ar_small: float | None
    ar_medium: float | None
    ar_large: float | None
    ar1: float | None
    ar10: float | None
    most: int
    classes: dict[str, ClassPrecision]


class ClassHits(msgspec.Struct, frozen=True):
    pictures: int
    top1: float
    top5: float | None


class Hits(msgspec.Struct, frozen=True):
    """How often a picture's class is the first, or among the first five, that the model names.

    `top5`: None when the model never names so many.
    """

    top1: float
    top5: float | None
    classes: dict[str, ClassHits]


class ClassOverlap(msgspec.Struct, frozen=True):
    """`pixels`: how many are labelled so."""

    pixels: int
    iou: float


class Overlap(msgspec.Struct, frozen=True):
    """Counted over the pixels of all pictures, void ones not. `miou`: the mean over classes that are labelled
    or found anywhere."""

    miou: float
    pixel_accuracy: float
    classes: dict[str, ClassOverlap]


class LabelTags(msgspec.Struct, frozen=True):
    """`labelled`: how many pictures are. `f1`: at the label's `threshold`."""

    labelled: int
    threshold: float
    ap: float | None
    f1: float


class TagScores(msgspec.Struct, frozen=True):
    """`map`: the mean average precision of labels that are labelled anywhere; `macro_f1`: the mean of those
    that are labelled or found anywhere, `micro_f1`: of all together."""

    map: float
    micro_f1: float
    macro_f1: float
    labels: dict[str, LabelTags]


class Subject(msgspec.Struct, frozen=True):
    """`sha256` is the model file's."""

    model: str
    sha256: str
    task: str
    family: str
    provider: str


class Accuracy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One evaluation: those of the last six that the task has.

    `left_out`: labels of the data that the model lacks; what is labelled so counts neither for nor against.
    """

    version: int
    created_utc: str
    subject: Subject
    data: str
    kind: str
    pictures: int
    of_pictures: int
    score_threshold: float
    iou_threshold: float
    seconds: float
    left_out: tuple[str, ...]
    notes: tuple[str, ...]
    boxes: AveragePrecision | None = None
    masks: AveragePrecision | None = None
    keypoints: AveragePrecision | None = None
    classification: Hits | None = None
    segmentation: Overlap | None = None
    tagging: TagScores | None = None
