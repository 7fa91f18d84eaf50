"""Proof: a repaired model, loaded and run once on a picture, in a process that may die of it.

The engine loads only what went through here: a damaged graph that makes ONNX Runtime crash, loop or fill the
memory ends this process in place of the engine's.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edge_engine.errors import EdgeEngineError, ModelError, one_line
from edge_engine.models.answers import InferenceError, answer_of
from edge_engine.models.model import Model
from edge_engine.models.providers import Setting
from edge_engine.models.repair import Repaired
from edge_engine.result import Objects, Segmentation, Tags

_SOURCE_SIZE = (640, 480)
# Below what `inspect` looks at, so that every kind of object turns up.
_LOW_SCORE = 0.01


def prove(source: Path, target: Path, *, is_batched: bool) -> None:
    """`target`: what was made of the file `source`. Raises ModelError for what can't be run on pictures."""
    try:
        _run(Model(source, Setting(provider="cpu", batch=1 + is_batched), made=Repaired(target, ())))
    except InferenceError as error:
        raise ModelError(f"{source}: on a picture of noise, {error}") from None
    except EdgeEngineError:
        raise
    except Exception as error:  # numpy and ONNX Runtime raise what they like
        raise ModelError(f"{source}: can't be run: {one_line(error) or type(error).__name__}") from None


def _run(model: Model) -> None:
    """On noise, as no picture is: what comes of padding alone may well be undefined."""
    tensor, outputs = model.new_batch(), model.new_outputs()
    tensor[:] = np.random.default_rng(0).integers(0, 256, tensor.shape, np.uint8)
    model.run(model.bind(tensor, outputs))
    of_first = outputs if model.setting.batch == 1 else [output[:1] for output in outputs]
    spec = model.spec
    kind = {"segmentation": Segmentation, "classification": Tags, "tagging": Tags}.get(spec.task, Objects)
    for score in (spec.score_threshold, _LOW_SCORE):
        thresholds = score, spec.iou_threshold
        answer = answer_of(model.decoder, of_first, thresholds, spec.input.lay(_SOURCE_SIZE), spec.labels)
        if not isinstance(answer, kind):
            raise ModelError(f"{model.path}: is said to be for {spec.task}, which {spec.family} isn't for")
