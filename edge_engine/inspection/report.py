"""Report: what `edge-engine inspect` finds, as its JSON has it."""

from __future__ import annotations

import msgspec

from edge_engine.models.facts import Origin
from edge_engine.models.spec import InputSpec, ModelSpec


class Tensor(msgspec.Struct, frozen=True):
    """A free dimension has its name, or `?`."""

    name: str
    dtype: str
    shape: list[int | str]


class Graph(msgspec.Struct, frozen=True):
    """The file's graph as it came. `parameters`: numbers in its weights; `gmacs`: 10⁹ multiply-adds of one
    inference in convolutions and matrix products, None where the shapes don't tell."""

    opset: int
    producer: str
    inputs: list[Tensor]
    outputs: list[Tensor]
    nodes: int
    parameters: int
    gmacs: float | None


class Sight(msgspec.Struct, frozen=True):
    """What was found in one picture: the best few, and the score of what is known to be there, 0..1."""

    picture: str
    found: list[str]
    score: float


class Trial(msgspec.Struct, frozen=True):
    """The model under one reading of its input. `score`: the mean over the pictures."""

    reading: str
    input: InputSpec
    score: float
    sights: list[Sight]


class Inspection(msgspec.Struct, frozen=True):
    """`trials`: the file's own reading first. `best`: the index of the one that works best; the own one where
    that is as good. `providers`: `loads`, or why it doesn't."""

    file: str
    sha256: str
    bytes: int
    graph: Graph
    spec: ModelSpec
    origins: dict[str, Origin]
    repairs: list[str]
    providers: dict[str, str]
    trials: list[Trial]
    best: int
