"""Laboratory: one float model, its pictures, and quantized variants of it tried on them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto

from edge_engine.models.spec import ModelSpec
from edge_engine.processor import cores
from edge_engine.quantization.agreement import LOWEST_SCORE, agreement
from edge_engine.quantization.formats import Format
from edge_engine.quantization.harm import harm
from edge_engine.quantization.histogram import Histogram, Method, Range
from edge_engine.quantization.layers import Layer, followers
from edge_engine.quantization.notes import Notes
from edge_engine.quantization.qdq import quantized
from edge_engine.quantization.ranges import ranges
from edge_engine.quantization.recogniser import answers
from edge_engine.quantization.report import Agreement
from edge_engine.result import Answer, Objects

Tensor = NDArray[np.uint8]


@dataclass(frozen=True)
class Plan:
    """`floats`: names of the layers that stay as they are. `groups`: what is quantized beside layers, where
    all that it computes with is."""

    method: Method
    floats: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sample:
    """Pictures and the float model's answers to them."""

    name: str
    pictures: Sequence[Tensor]
    truth: Sequence[Answer]

    def most_telling(self, count: int, threshold: float) -> Sample:
        """Those with the most objects; of whole-picture answers those evenly spread."""
        if isinstance(self.truth[0], Objects):
            seen = [int((a.scores >= threshold).sum()) for a in self.truth if isinstance(a, Objects)]
            chosen = np.argsort(seen, kind="stable")[::-1][:count].tolist()
        else:
            chosen = np.linspace(0, len(self.truth) - 1, min(count, len(self.truth))).astype(int).tolist()
        return Sample(
            f"{self.name}, {count}", [self.pictures[i] for i in chosen], [self.truth[i] for i in chosen]
        )


class Laboratory:
    """`base`: the float model as it is quantized, `pixels` the value that its picture is read as."""

    def __init__(
        self,
        base: ModelProto,
        layers: Sequence[Layer],
        counted: Mapping[str, Histogram],
        to: Format,
        pixels: str | None,
        spec: ModelSpec,
        threshold: float,
        notes: Notes,
    ) -> None:
        self.layers = layers
        self.spec, self.threshold = spec, threshold
        self._base, self._to, self._pixels = base, to, pixels
        self._counted = counted
        self._ranges: dict[Method, dict[str, Range]] = {}
        self._notes = notes

    def weighted(self) -> list[Layer]:
        return [layer for layer in self.layers if layer.group == "layers"]

    def model(self, plan: Plan) -> ModelProto:
        floats = set(plan.floats)
        chosen = {layer.name for layer in self.weighted() if layer.name not in floats}
        grouped = {layer.name for layer in self.layers if layer.group in plan.groups}
        return self._written(plan.method, chosen | followers(self._base.graph, chosen, grouped))

    def _written(self, method: Method, names: set[str]) -> ModelProto:
        return quantized(self._base, names, self._ranges_by(method), self._to, self._pixels)

    def _ranges_by(self, method: Method) -> dict[str, Range]:
        if method not in self._ranges:
            self._ranges[method] = ranges(self._base, self._counted, method)
        return self._ranges[method]

    def harm(self, plan: Plan, on: Sample) -> float:
        known, key = self._notes.tried.harms, f"{on.name}: {_key(plan)}"
        if key not in known:
            known[key] = harm(on.truth, self.answers(self.model(plan), on), self.threshold)
            self._notes.save()
        return known[key]

    def harms_alone(
        self, layers: Sequence[Layer], method: Method, on: Sample, on_layer: Callable[[int], None]
    ) -> list[float]:
        """Of each layer when nothing but it is quantized; one on each core at a time."""
        known, keys = self._notes.tried.harms, [f"{on.name}: {method}, {layer.name}" for layer in layers]

        def measured(name: str, key: str) -> float:
            if key in known:
                return known[key]
            alone = self._written(method, {name})
            return harm(on.truth, answers(alone, on.pictures, LOWEST_SCORE, 1), self.threshold)

        self._ranges_by(method)
        found = []
        with ThreadPoolExecutor(cores(), thread_name_prefix="quantize") as pool:
            futures = [
                pool.submit(measured, layer.name, key) for layer, key in zip(layers, keys, strict=True)
            ]
            try:
                for i, (key, future) in enumerate(zip(keys, futures, strict=True)):
                    on_layer(i)
                    found.append(future.result())
                    known[key] = found[-1]
                    self._notes.save()
            finally:
                pool.shutdown(cancel_futures=True)
        return found

    def agreement(self, plan: Plan, on: Sample) -> Agreement:
        known = self._notes.tried.agreements
        key = f"{on.name}: {_key(plan)}"
        if key not in known:
            found = self.answers(self.model(plan), on)
            known[key] = agreement(self.spec, on.truth, found, self.threshold)
            self._notes.save()
        return known[key]

    @staticmethod
    def answers(model: ModelProto, on: Sample) -> list[Answer]:
        return answers(model, on.pictures, LOWEST_SCORE, cores())


def _key(plan: Plan) -> str:
    return hashlib.sha256(repr(plan).encode()).hexdigest()[:24]
