"""ModelForms: a model as the streams' pictures need it: whole, or without the padding of its letterbox.

Making a form takes seconds, once per model and aspect ratio. A live engine doesn't wait for it, and runs the
whole model until it is there; one that may wait has all forms before it starts, so that a file gives the same
results each time.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from edge_engine.errors import EdgeEngineError
from edge_engine.models.model import Model
from edge_engine.models.repair import is_known, repaired

Size = tuple[int, int]
Aspect = tuple[int, int]

_MOST = 4
"""So many aspect ratios get a form of their own; pictures of all others go through the whole model."""


class ModelForms:
    """`of` is called by the threads that preprocess, one per stream. `kept` says why forms could not be made,
    by aspect ratio."""

    def __init__(
        self,
        load: Callable[[Aspect | None], Model],
        *,
        trims: bool,
        waits: bool,
        is_shared: bool = False,
        is_known: Callable[[Aspect], bool],
        prepare: Callable[[Aspect], object],
        expected: Iterable[Size | None],
    ) -> None:
        """`load` makes the form for an aspect ratio, None for the whole; EdgeEngineError when it can't.
        `is_known`: whether that takes but a moment; `prepare` sees to it. `is_shared`: all pictures go
        through one form, as those of a batch must. `expected`: (width, height) of the streams' pictures, None
        where it shows only with the first of them. Raises what the whole model can't be loaded with."""
        self.kept: dict[Aspect, str] = {}
        self._load = load
        self._prepare = prepare
        self._grows = trims and not waits and not is_shared
        self._lock = threading.Lock()
        self._asked: set[Aspect] = set()
        self._loading = threading.Lock()
        self._is_closed = False
        self._forms: dict[Aspect, Model] = {}
        self._whole: Model | None = None
        aspects = [aspect_of(size) if size is not None else None for size in expected]
        can_trim = trims and not (is_shared and len(set(aspects)) > 1)
        for aspect in set(aspects) if can_trim else ():
            if aspect is not None and (waits or is_shared or is_known(aspect)):
                self._make(aspect)
        found = self._forms.get(aspects[0]) if aspects[0] is not None else None
        self.first = found or self.whole
        self._shared = self.first if is_shared else None

    @property
    def whole(self) -> Model:
        """Loaded when it is first needed."""
        with self._lock:
            if self._whole is None:
                self._whole = self._load(None)
            return self._whole

    def made(self) -> list[Model]:
        """All that are loaded by now."""
        return [*self._forms.values(), *([self._whole] if self._whole is not None else [])]

    def of(self, size: Size) -> Model:
        """The form for pictures of this size, (width, height): the best that there is by now."""
        if self._shared is not None:
            return self._shared
        aspect = aspect_of(size)
        if aspect in self._forms:
            return self._forms[aspect]
        if self._grows and self._is_first_to_ask(aspect):
            threading.Thread(target=self._grow, args=(aspect,), name="trim", daemon=True).start()
        return self.whole

    def _is_first_to_ask(self, aspect: Aspect) -> bool:
        with self._lock:
            if aspect in self._asked or len(self._asked) == _MOST:
                return False
            self._asked.add(aspect)
            return True

    def _grow(self, aspect: Aspect) -> None:
        """In a thread of its own, which may wait for `prepare` when the process ends, but not load then: the
        runtime would be torn down under it."""
        try:
            self._prepare(aspect)
        except EdgeEngineError as error:
            self.kept[aspect] = str(error)
            return
        with self._loading:
            if not self._is_closed:
                self._make(aspect)

    def close(self) -> None:
        """No form is loaded from now on; waits for one that is being loaded, a second at most."""
        with self._loading:
            self._is_closed = True

    def _make(self, aspect: Aspect) -> None:
        self._asked.add(aspect)
        try:
            self._forms[aspect] = self._load(aspect)
        except EdgeEngineError as error:
            self.kept[aspect] = str(error)


def forms_of_file(
    path: Path,
    labels: tuple[str, ...],
    load: Callable[[Aspect | None], Model],
    *,
    trims: bool,
    waits: bool,
    is_shared: bool = False,
    expected: Iterable[Size | None],
) -> ModelForms:
    """Those that repair makes of a model file, with `labels` in place of its own."""
    return ModelForms(
        load,
        trims=trims,
        waits=waits,
        is_shared=is_shared,
        is_known=lambda aspect: is_known(path, aspect, labels),
        prepare=lambda aspect: repaired(path, aspect=aspect, labels=labels),
        expected=expected,
    )


def aspect_of(size: Size) -> Aspect:
    """1280x720 → 16x9: pictures of one aspect ratio lie in an input alike."""
    divisor = math.gcd(*size)
    return size[0] // divisor, size[1] // divisor
