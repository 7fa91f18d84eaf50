"""DETR's exporters are told by names, shapes and operators; other families' graphs are left to them."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from edge_engine.models.facts import GraphFacts, Shape
from edge_engine.models.families import load_family
from edge_engine.models.families.detr import Detr
from edge_engine.models.families.detr_facts import COCO_IDS
from edge_engine.models.spec import InputSpec, ModelSpec

PICTURE = InputSpec(640, 640, "NHWC", "uint8", "RGB", "stretch")
SPEC = ModelSpec("tiny", "detection", "detr", PICTURE, (), 0.5, 0.6)


def facts(outputs: dict[str, Shape], **changes: Any) -> GraphFacts:  # noqa: ANN401
    """Of a graph of 640 x 640 without attention, unless said otherwise."""
    dtypes = {name: "int64" if name == "labels" and len(s) == 2 else "float32" for name, s in outputs.items()}
    plain = GraphFacts("x", "images", (640, 640), "NCHW", "float32", outputs, dtypes, {}, {"Conv": 60})
    return plain._replace(**changes)


ATTENTION = {"Softmax": 12, "MatMul": 90, "Conv": 53}
DEFORMABLE = {**ATTENTION, "GridSample": 18, "TopK": 1}
MASK = {"pixel_mask": (0, 0, 0)}
SIZES = {"orig_target_sizes": (1, 2)}
IMAGENET, UNIT = (123.675, 116.28, 103.53), (0.0, 0.0, 0.0)

CLAIMED: dict[str, tuple[GraphFacts, int, str | None, tuple[float, ...], set[str]]] = {
    "DETR of optimum": (
        facts({"logits": (1, 100, 92), "pred_boxes": (1, 100, 4)}, side_inputs=MASK, operators=ATTENTION),
        91, "softmax", IMAGENET, {"logits", "boxes"},
    ),
    "YOLOS": (
        facts({"logits": (0, 0, 12), "pred_boxes": (0, 0, 4)}, operators=ATTENTION),
        11, "softmax", IMAGENET, {"logits", "boxes"},
    ),
    "Deformable DETR": (
        facts({"logits": (1, 300, 91), "pred_boxes": (1, 300, 4)}, side_inputs=MASK, operators=DEFORMABLE),
        91, "sigmoid", IMAGENET, {"logits", "boxes"},
    ),
    "RT-DETR and D-FINE of optimum": (
        facts({"logits": (1, 300, 80), "pred_boxes": (1, 300, 4)}, operators=DEFORMABLE),
        80, "sigmoid", UNIT, {"logits", "boxes"},
    ),
    "RF-DETR": (
        facts({"dets": (1, 300, 4), "labels": (1, 300, 91)}, operators=DEFORMABLE),
        91, "sigmoid", IMAGENET, {"logits", "boxes"},
    ),
    "RF-DETR of three classes": (
        facts({"dets": (1, 300, 4), "labels": (1, 300, 4)}, operators=DEFORMABLE),
        3, "sigmoid", IMAGENET, {"logits", "boxes"},
    ),
    "DETR by shapes alone": (
        facts({"1": (1, 100, 92), "2": (1, 100, 4)}, operators=ATTENTION),
        91, "softmax", IMAGENET, {"logits", "boxes"},
    ),
    "RT-DETR with post-processing": (
        facts({"labels": (1, 300), "boxes": (1, 300, 4), "scores": (1, 300)}, side_inputs=SIZES),
        0, None, UNIT, {"labels", "boxes", "scores"},
    ),
    "Ultralytics": (facts({"output0": (1, 300, 84)}, operators=DEFORMABLE), 80, None, UNIT, {"rows"}),
    "Ultralytics of two classes": (
        facts({"output0": (1, 300, 6)}, operators=DEFORMABLE), 2, None, UNIT, {"rows"},
    ),
    "Ultralytics with selection": (
        facts({"output0": (1, 300, 6)}, operators={**DEFORMABLE, "TopK": 2}), 0, None, UNIT, {"selected"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CLAIMED)
def test_an_exporters_graph_is_recognised(name: str) -> None:
    graph, classes, activation, mean, parts = CLAIMED[name]
    found = load_family("detr").deduce(graph)
    assert found is not None
    assert (found.family, found.task, found.classes) == ("detr", "detection", classes)
    assert (found.options.get("activation"), found.mean) == (activation, mean)
    assert set(found.options["outputs"]) == parts
    assert (found.colour, found.letterbox) == ("RGB", "stretch")
    assert found.labels == (COCO_IDS if classes == 91 else ())
    labels = found.labels or tuple(f"class {i}" for i in range(classes or 7))
    shapes = {n: (1, s[1] or 100, *s[2:]) for n, s in graph.outputs.items()}
    Detr(replace(SPEC, labels=labels, options=found.options), shapes)


@pytest.mark.parametrize(
    "graph",
    [
        facts({"output0": (1, 84, 8400)}),
        facts({"output0": (1, 25200, 85)}),
        facts({"output": (1, 8400, 85)}),
        facts({"output0": (1, 300, 6)}),
        facts({"output0": (1, 300, 6)}, operators={"TopK": 2, "Softmax": 3, "MatMul": 4, "Conv": 90}),
        facts({"output0": (1, 300, 38), "output1": (1, 32, 160, 160)}),
        facts({"scores": (1, 8400, 80), "distances": (1, 8400, 32)}),
        facts({f"{k}{s}": (1, n, w) for s, n in ((8, 6400), (16, 1600)) for k, w in (("s", 80), ("d", 44))}),
        facts({"scores": (1, 4420, 2), "boxes": (1, 4420, 4)}),
        facts({"scores": (1, 300, 2), "boxes": (1, 300, 4)}),
        facts({"boxes": (1, 10647, 4), "scores": (1, 80, 10647), "indices": (0, 3)}),
        facts({"labels": (1, 300), "boxes": (1, 300, 4), "scores": (1, 300)}),
        facts({"dets": (1, 100, 5), "labels": (1, 100)}),
        facts({"probabilities": (1, 1000)}, operators=ATTENTION),
        facts({"logits": (1, 150, 128, 128)}, operators=ATTENTION),
        facts({"last_hidden_state": (1, 197, 768), "pooled": (1, 768)}, operators=ATTENTION),
        facts({"heatmap": (1, 17, 64, 48)}),
        facts({"rows": (0, 7)}),
        facts({}),
    ],
)
def test_other_families_graphs_are_left_to_them(graph: GraphFacts) -> None:
    assert Detr.deduce(graph) is None
