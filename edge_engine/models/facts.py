"""Facts: what a graph shows of itself, and what a model family makes of them.

A family reads the facts of a file that says nothing of its family, and deduces a spec's parts, each with
where it comes from; what it can't know it leaves out, to be asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from edge_engine.models.spec import Colour, Fit, Layout, Task

Shape = tuple[int, ...]
Origin = Literal["given", "metadata", "sidecar", "graph", "assumed"]
"""`given`: on the command line, or in an engine's configuration."""


class GraphFacts(NamedTuple):
    """`outputs` in the graph's order; a dimension that isn't fixed is 0. `side_inputs`: all but the picture,
    such as `orig_target_sizes`. `operators`: how many nodes of each kind. `ends_in`: the one that computes
    each output, leaving out those that only move or requantize, such as Reshape. `scales`: scale and zero
    point of each output that a QuantizeLinear gives. `is_named`: a person says that it is of this family.
    """

    name: str
    input_name: str
    size: tuple[int, int]
    layout: Layout
    dtype: str
    outputs: dict[str, Shape]
    output_dtypes: dict[str, str]
    side_inputs: dict[str, Shape]
    operators: dict[str, int]
    ends_in: Mapping[str, str] = MappingProxyType({})
    scales: Mapping[str, tuple[float, int]] = MappingProxyType({})
    is_named: bool = False


@dataclass(frozen=True)
class Deduction:
    """How a family reads a graph. `classes`: how many labels its outputs have room for, 0 where that
    doesn't show.

    `colour`, `mean`, `std` (of pixels 0..255) and `letterbox` are the family's customs, which a graph can't
    show: they count as assumed. `options`: as the family's decoder wants them.
    """

    family: str
    task: Task
    classes: int
    colour: Colour = "RGB"
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    letterbox: Fit = "stretch"
    pad: int = 114
    score_threshold: float = 0.25
    iou_threshold: float = 0.6
    options: dict[str, Any] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    keypoint_names: tuple[str, ...] = ()
    crop: float = 1.0
