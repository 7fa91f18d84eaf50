"""ModelSpec: what a model file says of itself: task, family, how its input is made, what its labels are.

It travels inside the ONNX file as JSON, under `metadata_props["edge_engine"]`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from edge_engine.letterbox import Fit as Fit
from edge_engine.letterbox import Letterbox

METADATA_KEY = "edge_engine"
SPEC_VERSION = 1
BATCH_DIMENSION = "batch"
"""How a graph that takes any number of pictures calls its inputs' and outputs' first dimension."""


Task = Literal["detection", "instance-segmentation", "pose", "classification", "tagging", "segmentation"]
Layout = Literal["NHWC", "NCHW"]
Colour = Literal["RGB", "BGR"]
CropShare = Annotated[float, Meta(gt=0, le=1)]


class InputSpec(msgspec.Struct, frozen=True):
    """How a picture becomes the model's input.

    `mean` and `std` apply to pixels 0..255, in `colour` order; 0 and 1 when folded into the model.
    `letterbox`: the picture keeps its shape and is centred or laid top-left on `pad`, or is stretched, or its
    middle fills the input ("crop"): of the largest part that does, the share `crop` of each side. Resizing
    the short side to 256 and cutting out 224 is 224 / 256 = 0.875.
    """

    width: int
    height: int
    layout: Layout
    dtype: Literal["uint8", "float32"]
    colour: Colour
    letterbox: Fit
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    pad: int = 114
    crop: CropShare = 1.0

    def lay(self, source_size: tuple[int, int]) -> Letterbox:
        """Where a picture of this size, (width, height), lies in the input."""
        return Letterbox.fit(source_size, (self.width, self.height), self.letterbox, self.crop)


class ModelSpec(msgspec.Struct, frozen=True):
    """`options` holds what only the family understands (strides, anchors, bins). `label_thresholds`: scores
    that single labels need, in place of `score_threshold`. `classes`: the only labels that are asked for; all
    where it is empty. Both may name labels as models.names reads names."""

    name: str
    task: Task
    family: str
    input: InputSpec
    labels: tuple[str, ...]
    score_threshold: float
    iou_threshold: float
    keypoint_names: tuple[str, ...] = ()
    label_thresholds: dict[str, float] = {}
    classes: tuple[str, ...] = ()
    version: int = SPEC_VERSION
    options: dict[str, Any] = {}
    licence: str = ""
    source: str = ""
