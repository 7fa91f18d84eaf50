"""Frames: the user's own pictures as they lie in the model's input, some to calibrate with, others to judge.

No picture that calibrates, or that the search looks at, judges the result: from a folder they go by turns,
from a video by stretches of time, because neighbouring frames are nearly the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_engine.clock import NS_PER_S, monotonic_ns
from edge_engine.config import load_config
from edge_engine.errors import CorruptFrameError, DataError, SourceError
from edge_engine.evaluation.datasets import pictures_in
from edge_engine.frame import Frame
from edge_engine.models.spec import InputSpec
from edge_engine.pixels import Pixels
from edge_engine.slots import Canvas
from edge_engine.sources import make_source
from edge_engine.sources.folder import SUFFIXES, load_picture
from edge_engine.sources.source import Grab, Source
from edge_engine.stages.preprocess import fill

_FEWEST = 4
_STRETCHES = 16
# A camera never ends and a film may be long: no more is read than this.
_MOST_FRAMES = 20_000
_MOST_SECONDS = 120

Tensor = NDArray[np.uint8]


@dataclass(frozen=True)
class Pictures:
    """uint8 [1, height, width, 3] each. `digest`: of all of them; `unreadable`: how many were left out."""

    calibrating: list[Tensor]
    judging: list[Tensor]
    digest: str
    unreadable: int


def gather(what: str, spec: InputSpec, most: int) -> Pictures:
    """At most so many pictures, evenly spread, of a folder with all folders inside it, of a video or another
    source, or of all streams of a configuration. Raises DataError, SourceError or ConfigError."""
    cv2.setNumThreads(1)
    laid = _Laid(spec)
    if Path(what).suffix in {".yaml", ".yml"}:
        uris = [stream.source for stream in load_config(what).streams.values()]
    else:
        uris = [what]
    for uri in uris:
        room = most // len(uris)
        if Path(uri).is_dir():
            laid.add(_of_folder(Path(uri), room), by_turns=True)
        else:
            laid.add(_of_source(uri, room), by_turns=False)
    return laid.pictures(what)


class _Laid:
    def __init__(self, spec: InputSpec) -> None:
        self._spec = spec
        self._halves: tuple[list[Tensor], list[Tensor]] = ([], [])
        self._unreadable = 0
        self._digest = hashlib.sha256()

    def add(self, found: Iterable[Pixels | None], *, by_turns: bool) -> None:
        """None stands for a picture that can't be read."""
        laid = [tensor for pixels in found if (tensor := self._lay(pixels)) is not None]
        for i, tensor in enumerate(laid):
            half = i % 2 if by_turns else i * min(_STRETCHES, len(laid)) // len(laid) % 2
            self._halves[half].append(tensor)

    def _lay(self, pixels: Pixels | None) -> Tensor | None:
        tensor = np.full((1, self._spec.height, self._spec.width, 3), self._spec.pad, np.uint8)
        try:
            if pixels is None:
                raise CorruptFrameError
            fill(Canvas(tensor), Frame("quantize", 0, 0, 0, pixels.size, pixels), self._spec)
        except CorruptFrameError:
            self._unreadable += 1
            return None
        self._digest.update(tensor.tobytes())
        return tensor

    def pictures(self, what: str) -> Pictures:
        count = sum(len(half) for half in self._halves)
        if count < _FEWEST:
            bad = f", {self._unreadable} could not be read" if self._unreadable else ""
            raise DataError(f"{what}: {count} pictures to calibrate with{bad}; give {_FEWEST} at least")
        return Pictures(*self._halves, self._digest.hexdigest(), self._unreadable)


def _of_folder(folder: Path, most: int) -> Iterator[Pixels | None]:
    paths = pictures_in(folder)
    if not paths:
        raise DataError(f"{folder}: no pictures in it; expected files ending in {' '.join(sorted(SUFFIXES))}")
    for i in np.linspace(0, len(paths) - 1, min(most, len(paths))).round().astype(int):
        try:
            yield load_picture(paths[i])
        except CorruptFrameError:
            yield None


def _of_source(uri: str, most: int) -> list[Pixels | None]:
    """Every frame at first; each time that there are too many, every second one of them is kept."""
    source = make_source(uri, pace=False, loop=False)
    source.open()
    kept: list[Pixels | None] = []
    every = 1
    try:
        for number, grab in enumerate(_frames(source)):
            if number % every == 0:
                kept.append(None if grab is None else grab.pixels)
            if len(kept) == 2 * most:
                kept, every = kept[::2], 2 * every
    finally:
        source.close()
    if not kept:
        raise SourceError(f"{uri}: no frame in it to calibrate with")
    return [kept[i] for i in np.linspace(0, len(kept) - 1, min(most, len(kept))).round().astype(int)]


def _frames(source: Source) -> Iterator[Grab | None]:
    until_ns = monotonic_ns() + _MOST_SECONDS * NS_PER_S
    for _ in range(_MOST_FRAMES):
        try:
            grab = source.read()
        except CorruptFrameError:
            yield None
            continue
        if grab is None or monotonic_ns() > until_ns:
            return
        yield grab
