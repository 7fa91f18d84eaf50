"""How models customarily want their pixels, mean and deviation of 0..255."""

from __future__ import annotations

from edge_engine.models.facts import GraphFacts

Triple = tuple[float, float, float]

IMAGENET_MEAN = (123.675, 116.28, 103.53)  # red, green, blue
IMAGENET_STD = (58.395, 57.12, 57.375)


def customary(facts: GraphFacts) -> tuple[Triple, Triple]:
    """Of models that look at the whole picture: none for uint8; for NHWC -1..1, as most of TensorFlow does;
    for NCHW ImageNet's, as torchvision's models do."""
    if facts.dtype == "uint8":
        return (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    if facts.layout == "NHWC":
        return (127.5, 127.5, 127.5), (127.5, 127.5, 127.5)
    return IMAGENET_MEAN, IMAGENET_STD
