"""Lineup: the models that are loaded, one of which sees the pictures; another can take its place at once."""

from __future__ import annotations

from collections.abc import Mapping

from edge_engine.models.forms import Aspect, ModelForms, Size
from edge_engine.models.model import Model


class Lineup:
    """The threads that preprocess ask `of` for each picture, and nothing else; whoever controls the engine
    changes `name`, one assignment, so that a picture is for the one or for the other. Pictures that are on
    their way know their model."""

    def __init__(self, forms: Mapping[str, ModelForms]) -> None:
        """By the names that the configuration gives them; the first is in use."""
        self.forms = dict(forms)
        self.name = next(iter(forms))

    @property
    def current(self) -> ModelForms:
        return self.forms[self.name]

    @property
    def first(self) -> Model:
        """The form of the model in use that was made first."""
        return self.current.first

    @property
    def kept(self) -> dict[Aspect, str]:
        """Of the model in use, as ModelForms has it."""
        return self.current.kept

    def made(self) -> list[Model]:
        """All forms of the model in use that are loaded by now."""
        return self.current.made()

    def of(self, size: Size) -> Model:
        """The form for pictures of this size, (width, height)."""
        return self.current.of(size)

    def close(self) -> None:
        for forms in self.forms.values():
            forms.close()
