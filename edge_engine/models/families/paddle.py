"""How PaddleDetection's models want their input: facts that its families share.

Pictures are RGB and stretched to the input (keep_ratio: False). PicoDet and PP-YOLOE normalise by ImageNet's
mean and deviation, PP-YOLOE+ and RT-DETR only bring pixels to 0..1 (configs/*/_base_/*reader.yml).
"""

from __future__ import annotations

from edge_engine.models.facts import GraphFacts
from edge_engine.models.families.normalising import IMAGENET_MEAN, IMAGENET_STD

_MANY_SIGMOIDS = 20


def normalisation(facts: GraphFacts) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Mean and deviation of pixels 0..255, a guess by the graph's operators.

    A swish after each convolution shows as many sigmoids: PP-YOLOE, of which the newer kind, PP-YOLOE+, is
    assumed. RT-DETR samples from its maps. Other models use ImageNet's.
    """
    operators = facts.operators
    if operators.get("Sigmoid", 0) >= _MANY_SIGMOIDS or operators.get("GridSample", 0):
        return (0.0, 0.0, 0.0), (255.0, 255.0, 255.0)
    return IMAGENET_MEAN, IMAGENET_STD
