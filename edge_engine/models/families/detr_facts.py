"""What a graph shows of a DETR: which form it was exported in, whose exporter wrote it, and its customs.

Facts: Hugging Face's optimum names `pixel_values`, `logits` and `pred_boxes`, and `pixel_mask` for those that
pad; roboflow's rfdetr names `dets` and `labels`, with a column more than classes; RT-DETR's, D-FINE's and
DEIM's scripts ask for `orig_target_sizes`. Deformable attention samples with GridSample, the original
attention doesn't. COCO's 91 category ids give 91 columns, or 92 with DETR's "no object"; COCO's 80 classes
without gaps are RT-DETR's, D-FINE's and DEIM's.
"""

from __future__ import annotations

from typing import Any

from edge_engine.models.facts import Deduction, GraphFacts, Shape
from edge_engine.models.families.normalising import IMAGENET_MEAN, IMAGENET_STD

RF_DETR = ("dets", "labels")
"""rfdetr's names of boxes and logits."""

_PAIRS = [("pred_boxes", "logits"), ("pred_boxes", "pred_logits"), RF_DETR]
_MOST_QUERIES = 1000
_QUERIES = (100, 300, 500, 900)  # of published models
_SCORE = 0.5
_ULTRALYTICS_SCORE = 0.25
_NAMES = {
    "logits": ("logits", "pred_logits", "labels"),
    "boxes": ("pred_boxes", "boxes", "dets"),
    "labels": ("labels", "pred_labels"),
    "scores": ("scores", "pred_scores"),
}

_NAMES_BY_ID = """\
N/A,person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,N/A,
stop sign,parking meter,bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,N/A,
backpack,umbrella,N/A,N/A,handbag,tie,suitcase,frisbee,skis,snowboard,sports ball,kite,
baseball bat,baseball glove,skateboard,surfboard,tennis racket,bottle,N/A,wine glass,cup,fork,
knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake,chair,
couch,potted plant,bed,N/A,dining table,N/A,N/A,toilet,N/A,tv,laptop,mouse,remote,keyboard,
cell phone,microwave,oven,toaster,sink,refrigerator,N/A,book,clock,vase,scissors,teddy bear,
hair drier,toothbrush"""
COCO_IDS = tuple(_NAMES_BY_ID.replace("\n", "").split(","))
"""COCO's categories by their ids 0..90, of which 80 are used."""


def is_named(part: str, name: str) -> bool:
    """Whether exporters give that part that name."""
    return name in _NAMES.get(part, (name,))


def deduce(facts: GraphFacts) -> Deduction | None:
    return _post_processed(facts) or _logits_and_boxes(facts) or _rows(facts)


def _post_processed(facts: GraphFacts) -> Deduction | None:
    """Labels, boxes and scores; how many classes there are doesn't show."""
    if "orig_target_sizes" not in facts.side_inputs or len(facts.outputs) != 3:
        return None
    boxes = [name for name, shape in facts.outputs.items() if len(shape) == 3 and shape[2] == 4]
    flat = [name for name, shape in facts.outputs.items() if len(shape) == 2]
    labels = [name for name in flat if "int" in facts.output_dtypes[name]]
    scores = [name for name in flat if "float" in facts.output_dtypes[name]]
    if not len(boxes) == len(labels) == len(scores) == 1:
        return None
    return _deduction(0, {"labels": labels[0], "boxes": boxes[0], "scores": scores[0]})


def _logits_and_boxes(facts: GraphFacts) -> Deduction | None:
    pair = _named_pair(facts) or _unnamed_pair(facts)
    if pair is None:
        return None
    boxes, logits = pair
    queries, columns = facts.outputs[boxes][1] or facts.outputs[logits][1], facts.outputs[logits][2]
    is_rf_detr = pair == RF_DETR
    is_softmax = not (is_rf_detr or _samples(facts) or queries == 300 or columns == len(COCO_IDS))
    has_more = is_softmax or (is_rf_detr and columns != len(COCO_IDS))
    classes = columns - has_more
    if classes < 1:
        return None
    is_imagenet = is_softmax or is_rf_detr or "pixel_mask" in facts.side_inputs or columns == len(COCO_IDS)
    activation = "softmax" if is_softmax else "sigmoid"
    parts = {"logits": logits, "boxes": boxes}
    return _deduction(classes, parts, is_imagenet=is_imagenet, options={"activation": activation})


def _named_pair(facts: GraphFacts) -> tuple[str, str] | None:
    found = [pair for pair in _PAIRS if set(pair) <= set(facts.outputs)]
    return found[0] if len(found) == 1 and _is_pair(facts, *found[0]) else None


def _unnamed_pair(facts: GraphFacts) -> tuple[str, str] | None:
    """Of a transformer: detectors with anchors give such shapes too."""
    if not (_samples(facts) or _attends(facts)) or len(facts.outputs) != 2:
        return None
    one, other = facts.outputs
    pairs = [pair for pair in ((one, other), (other, one)) if _is_pair(facts, *pair)]
    return pairs[0] if len(pairs) == 1 and facts.outputs[one][1] in _QUERIES else None


def _is_pair(facts: GraphFacts, boxes: str, logits: str) -> bool:
    boxes_shape, logits_shape = facts.outputs[boxes], facts.outputs[logits]
    if not (_is_of_queries(boxes_shape) and _is_of_queries(logits_shape) and boxes_shape[2] == 4):
        return False
    return boxes_shape[1] == logits_shape[1] or 0 in (boxes_shape[1], logits_shape[1])


def _rows(facts: GraphFacts) -> Deduction | None:
    """Ultralytics' RT-DETR; six columns are either two classes or what its second TopK has selected."""
    found = [name for name, shape in facts.outputs.items() if _is_of_queries(shape) and shape[2] > 4]
    if len(found) != 1 or len(facts.outputs) != 1 or not _samples(facts):
        return None
    columns = facts.outputs[found[0]][2]
    is_selected = columns == 6 and facts.operators.get("TopK", 0) > 1
    parts, classes = ({"selected": found[0]}, 0) if is_selected else ({"rows": found[0]}, columns - 4)
    return _deduction(classes, parts, score_threshold=_ULTRALYTICS_SCORE)


def _is_of_queries(shape: Shape) -> bool:
    return len(shape) == 3 and shape[0] in (0, 1) and shape[1] <= _MOST_QUERIES


def _samples(facts: GraphFacts) -> bool:
    return facts.operators.get("GridSample", 0) > 0


def _attends(facts: GraphFacts) -> bool:
    """Several attentions, each with a Softmax between two MatMuls, or as one node."""
    count = facts.operators.get
    whole = sum(count(name, 0) for name in ("Attention", "MultiHeadAttention"))
    return whole > 1 or (count("Softmax", 0) > 1 and count("MatMul", 0) > 3)


def _deduction(
    classes: int,
    parts: dict[str, str],
    *,
    is_imagenet: bool = False,
    score_threshold: float = _SCORE,
    options: dict[str, Any] | None = None,
) -> Deduction:
    return Deduction(
        "detr",
        "detection",
        classes,
        mean=IMAGENET_MEAN if is_imagenet else (0.0, 0.0, 0.0),
        std=IMAGENET_STD if is_imagenet else (255.0, 255.0, 255.0),
        letterbox="stretch",
        score_threshold=score_threshold,
        options={"outputs": parts, **(options or {})},
        labels=COCO_IDS if classes == len(COCO_IDS) else (),
    )
