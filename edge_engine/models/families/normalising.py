"""How models that look at the whole picture customarily want their pixels."""

from __future__ import annotations

from edge_engine.models.facts import GraphFacts

Triple = tuple[float, float, float]


def customary(facts: GraphFacts) -> tuple[Triple, Triple]:
    """Mean and std of pixels 0..255: none for uint8; for NHWC -1..1, as most of TensorFlow does; for NCHW
    ImageNet's mean and deviation, as torchvision's models do."""
    if facts.dtype == "uint8":
        return (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    if facts.layout == "NHWC":
        return (127.5, 127.5, 127.5), (127.5, 127.5, 127.5)
    return (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
