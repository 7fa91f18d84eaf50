"""Decoder: how a model family's raw outputs become an answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from numpy.typing import NDArray

from edge_engine.models.facts import Deduction, GraphFacts
from edge_engine.models.spec import ModelSpec
from edge_engine.result import Answer

MAX_OBJECTS = 300  # objects of one frame


class Decoder(Protocol):
    """Built once per model; its scratch buffers are reused, so that one thread owns it."""

    def __init__(self, spec: ModelSpec, output_shapes: dict[str, tuple[int, ...]]) -> None:
        """`output_shapes` in the session's order; ModelError when they don't fit the family."""

    @staticmethod
    def reads(spec: ModelSpec, output_shapes: dict[str, tuple[int, ...]]) -> list[str]:
        """Names of the outputs that are read; repair removes the others. ModelError as above."""
        ...

    @staticmethod
    def deduce(facts: GraphFacts) -> Deduction | None:
        """What the family makes of a graph that doesn't name its family; None when it is none of its own.

        To be sure rather than generous: a graph that two families claim has to be asked for.
        """
        ...

    def __call__(
        self, outputs: Sequence[NDArray[Any]], score_threshold: float, iou_threshold: float
    ) -> Answer:
        """In fresh arrays, highest score first; at most MAX_OBJECTS objects, in model-input pixels.

        `score_threshold` holds for labels to which the spec gives none of their own (families.limits).
        `outputs` are C-contiguous, in the order of `output_shapes`; they are only read.
        """
        ...
