"""labels: the names of well-known data sets' classes, in the order of their models' outputs."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from edge_engine.models.spec import Task


def _names(text: str) -> tuple[str, ...]:
    """Separated by spaces; an underscore stands for a space within one."""
    return tuple(name.replace("_", " ") for name in text.split())


COCO = _names(
    "person bicycle car motorcycle airplane bus train truck boat traffic_light fire_hydrant stop_sign "
    "parking_meter bench bird cat dog horse sheep cow elephant bear zebra giraffe backpack umbrella handbag "
    "tie suitcase frisbee skis snowboard sports_ball kite baseball_bat baseball_glove skateboard surfboard "
    "tennis_racket bottle wine_glass cup fork knife spoon bowl banana apple sandwich orange broccoli carrot "
    "hot_dog pizza donut cake chair couch potted_plant bed dining_table toilet tv laptop mouse remote "
    "keyboard cell_phone microwave oven toaster sink refrigerator book clock vase scissors teddy_bear "
    "hair_drier toothbrush"
)
"""The 80 classes of COCO's detection task (cocodataset.org)."""

_COCO_UNUSED = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83}

COCO_91_TO_80 = {category: i for i, category in enumerate(i for i in range(1, 91) if i not in _COCO_UNUSED)}
"""From COCO's category ids, 1 to 90 with ten gaps, which many detectors give, to the index into COCO."""

VOC = _names(
    "background aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike "
    "person pottedplant sheep sofa train tvmonitor"
)
"""PASCAL VOC's 20 classes after the background, as segmentation models have them."""


@cache
def imagenet() -> tuple[str, ...]:
    """The 1000 classes of ImageNet's challenge of 2012 (image-net.org), in torchvision's words."""
    return tuple(Path(__file__).with_name("imagenet.txt").read_text(encoding="utf-8").splitlines())


def customary_labels(task: Task, classes: int) -> tuple[str, ...]:
    """What so many classes without names usually are; () where nothing is usual.

    1001 are ImageNet's after a background, as TensorFlow's models have them.
    """
    if task in ("detection", "instance-segmentation"):
        return {80: COCO, 20: VOC[1:]}.get(classes, ())
    if task == "segmentation":
        return VOC if classes == len(VOC) else ()
    if task == "classification" and classes in (1000, 1001):
        return imagenet() if classes == 1000 else ("background", *imagenet())
    return ()
