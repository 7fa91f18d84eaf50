"""find_output: the one output of a model that a family reads; misfit: what is said when outputs don't fit."""

from __future__ import annotations

from collections.abc import Callable

from edge_engine.errors import ModelError
from edge_engine.models.facts import Shape
from edge_engine.models.spec import ModelSpec


def find_output(
    spec: ModelSpec, family: str, shapes: dict[str, Shape], fits: Callable[[Shape], bool], expected: str
) -> str:
    """Its name; ModelError, in one line, when none fits or several do."""
    found = [name for name, shape in shapes.items() if fits(shape)]
    if len(found) == 1:
        return found[0]
    raise misfit(spec, family, shapes, f"expected {expected}")


def misfit(spec: ModelSpec, family: str, shapes: dict[str, Shape], why: str) -> ModelError:
    """One line with the outputs that there are."""
    got = ", ".join(f"{name} {list(shape)}" for name, shape in shapes.items()) or "none"
    return ModelError(f"model {spec.name} doesn't fit the {family} family: {why}; outputs are {got}")
