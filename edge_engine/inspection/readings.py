"""Readings: a model tried on pictures with known content, as it is read and as it might be read instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace
from onnx import ModelProto

from edge_engine.clock import monotonic_ns
from edge_engine.errors import ModelError, one_line
from edge_engine.frame import Frame
from edge_engine.inspection.report import Sight, Trial
from edge_engine.models.answers import InferenceError, answer_of, check_numbers
from edge_engine.models.families import load_family
from edge_engine.models.families.normalising import IMAGENET_MEAN, IMAGENET_STD
from edge_engine.models.graph import repair
from edge_engine.models.reading import read_spec
from edge_engine.models.session import plain_session
from edge_engine.models.spec import Colour, InputSpec, ModelSpec
from edge_engine.models.values import metadata_of
from edge_engine.pixels import BgrPixels, Image
from edge_engine.result import Objects, Result, Segmentation
from edge_engine.slots import Canvas
from edge_engine.stages.preprocess import fill

# mean and std of pixels 0..255, as most training code has them.
_NORMALISATIONS = {
    "0..255": ((0.0,) * 3, (1.0,) * 3),
    "0..1": ((0.0,) * 3, (255.0,) * 3),
    "-1..1": ((127.5,) * 3, (127.5,) * 3),
    "ImageNet's mean and std": (IMAGENET_MEAN, IMAGENET_STD),
}
_SHOWN = 3
# Below this, what is known to be in a picture was not found.
FOUND = 0.25
# A reading must be so much better than the file's own to be named in its place.
_CLEARLY = 1.15


class KnownImage:
    """A picture, uint8 BGR, and what it shows; `shows` is empty where that isn't known."""

    def __init__(self, name: str, image: Image, shows: Sequence[str]) -> None:
        self.name, self.image, self.shows = name, image, shows


def try_readings(
    path: Path,
    spec: ModelSpec,
    images: Sequence[KnownImage],
    on_trial: Callable[[str], None],
    labels: tuple[str, ...] = (),
) -> tuple[list[Trial], int]:
    """The file's own reading, and all others where that misses a picture's content; and which is best.

    Where the labels have words for what some pictures show, only those are looked at. `labels`: in place of
    the file's own, as in `spec`.
    """
    images = [image for image in images if _known(spec.labels, image.shows)] or images
    trials = []
    for name, picture in _readings(spec.input):
        on_trial(name)
        model, _ = repair(path, picture=picture, labels=labels)
        try:
            trials.append(_try(name, picture, path, model, images))
        except InferenceError as error:
            if not trials:
                raise ModelError(f"{path}: on a picture, {error}") from None
            continue  # a reading that makes it give no numbers isn't the right one
        if len(trials) == 1 and all(sight.score >= FOUND for sight in trials[0].sights):
            break
    best = max(range(len(trials)), key=lambda i: trials[i].score)
    is_better = trials[best].score > _CLEARLY * trials[0].score
    return trials, best if is_better else 0


def _readings(own: InputSpec) -> Iterator[tuple[str, InputSpec]]:
    """Each by its name, the own one first. A quantized input's normalisation is in its graph."""
    yield "as it is read", own
    manners = _NORMALISATIONS if own.dtype != "uint8" else {"": (own.mean, own.std)}
    colours: tuple[Colour, ...] = ("RGB", "BGR")
    for colour in colours:
        for name, (mean, std) in manners.items():
            turned = (mean[::-1], std[::-1]) if colour == "BGR" else (mean, std)
            picture = replace(own, colour=colour, mean=turned[0], std=turned[1])
            if picture != own:
                yield f"{colour} {name}".strip(), picture


def _try(name: str, picture: InputSpec, path: Path, model: ModelProto, images: Sequence[KnownImage]) -> Trial:
    recogniser = _Recogniser(path, model)
    sights = [_sight(recogniser.result(image.image), image) for image in images]
    return Trial(name, picture, sum(sight.score for sight in sights) / len(sights), sights)


class _Recogniser:
    """A repaired model on single pictures, without an engine around it."""

    def __init__(self, path: Path, model: ModelProto) -> None:
        self._session = plain_session(model.SerializeToString())
        self._spec = read_spec(path, metadata_of(model))
        self._names = [output.name for output in self._session.get_outputs()]
        self._decoder: Any = None

    def result(self, image: Image) -> Result:
        spec, picture = self._spec, self._spec.input
        tensor = np.full((1, picture.height, picture.width, 3), picture.pad, np.uint8)
        pixels = BgrPixels(image)
        frame = Frame("inspect", 0, monotonic_ns(), 0, pixels.size, pixels)
        fill(Canvas(tensor), frame, picture)
        try:
            outputs = self._session.run(self._names, {self._session.get_inputs()[0].name: tensor})
        except Exception as error:  # ONNX Runtime raises a type of its own per status code
            raise InferenceError(one_line(error)) from None
        check_numbers(self._names, outputs)
        if self._decoder is None:
            shapes = {name: output.shape for name, output in zip(self._names, outputs, strict=True)}
            everything = replace(spec, label_thresholds={}, classes=())
            self._decoder = load_family(spec.family)(everything, shapes)
        thresholds, box = (0.05, spec.iou_threshold), picture.lay(pixels.size)
        answer = answer_of(self._decoder, outputs, thresholds, box, spec.labels)
        return Result(frame, answer, spec.labels, spec.name, "inspect", 0)


def _sight(result: Result, image: KnownImage) -> Sight:
    return Sight(image.name, _found(result), _score(result, image.shows))


def _found(result: Result) -> list[str]:
    if isinstance(result.answer, Segmentation):
        return result.names()[: _SHOWN + 1]
    scores = result.answer.scores.tolist()
    return [f"{name} {score:.2f}" for name, score in zip(result.names(), scores, strict=True)][:_SHOWN]


def _known(labels: Sequence[str], shows: Sequence[str]) -> set[int]:
    """Of the labels those that name what a picture shows."""
    return {i for i, label in enumerate(labels) if any(word in label.lower() for word in shows)}


def _score(result: Result, shows: Sequence[str]) -> float:
    """Of the best that is known to be there; of the best at all where the labels have no word for it."""
    labels, answer = result.labels, result.answer
    known = _known(labels, shows)
    if isinstance(answer, Segmentation):
        inside = [float((answer.class_ids == i).mean()) for i in known or range(1, len(labels))]
        return min(1.0, sum(inside) / FOUND) if inside else 0.0
    scores = answer.scores.tolist()
    named = [s for s, i in zip(scores, answer.class_ids.tolist(), strict=True) if i in known or not known]
    is_whole_picture = not isinstance(answer, Objects)
    return max(named, default=0.0) if named or is_whole_picture else 0.0
