"""Search: the method, and the layers that stay in float, by the harm that is measured.

Each layer is quantized alone, and the harm to the answers measured; then those that do the most harm for
what they would save stay in float, few at first, until the model agrees with the float one. What lies
between layers is quantized in the end, group by group, where that is faster and the agreement holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from edge_engine.clock import monotonic_ns
from edge_engine.errors import ModelError
from edge_engine.quantization.histogram import METHODS, Method
from edge_engine.quantization.laboratory import Laboratory, Plan, Sample
from edge_engine.quantization.layers import GROUPS, Layer
from edge_engine.quantization.recogniser import Recogniser

Step = Callable[[str, int, int], None]
"""Told what is being done, how many of it are done, and of how many."""

# A layer in float costs its own work and going to floats and back around it: by itself, as a share of the
# model's multiply-adds, and for each number read or given, in multiply-adds; found on NanoDet-g.
_BORDER_COST = 0.01
_MACS_PER_NUMBER = 40
# Stays in float without being asked for: what does more harm than so many times the middle layer, as long
# as all of it costs less than this share of the multiply-adds.
_OUTSTANDING = 2.5
_CHEAP = 0.06
_NO_HARM = 0.005
# Beyond, it isn't worth calling quantized.
_MOST_IN_FLOAT = 0.6
_TELLING = 12
_PARTS = 6
_SECONDS_OF_HARM = 90
_FASTER = 0.97
_TRIES_WITH_GROUP = 4
_RUNS = 20
_LOSS_OF_PLACE = 3


@dataclass(frozen=True)
class Harm:
    """What one layer does to the answers when it alone is quantized; `share`: of the model's multiply-adds;
    `border`: what going to floats and back costs besides, in the same unit."""

    layer: Layer
    harm: float
    share: float
    border: float


def measured_harms(
    laboratory: Laboratory, sample: Sample, seconds_per_picture: float, on_step: Step
) -> tuple[Plan, list[Harm]]:
    """The plan with the best method and every layer quantized; and each layer's harm, most worth its cost
    first."""
    layers = laboratory.weighted()
    affordable = _SECONDS_OF_HARM / (len(layers) * max(seconds_per_picture, 1e-4))
    few = sample.most_telling(int(np.clip(affordable, 3, _TELLING)), laboratory.threshold)
    plan = Plan(_best_method(laboratory, few, on_step))
    total = max(sum(layer.macs for layer in layers), 1)
    found = laboratory.harms_alone(
        layers, plan.method, few, lambda done: on_step("quantizing each layer alone", done, len(layers))
    )
    harms = []
    for layer, each in zip(layers, found, strict=True):
        border = _BORDER_COST + layer.moved * _MACS_PER_NUMBER / total
        harms.append(Harm(layer, each, layer.macs / total, border))
    return plan, sorted(harms, key=lambda each: -each.harm / (each.share + each.border))


def _best_method(laboratory: Laboratory, few: Sample, on_step: Step) -> Method:
    """The one that does the least harm, a part of the layers at a time: all at once, the few that no method
    can save would hide what it does to the others."""
    names = [layer.name for layer in laboratory.weighted()]
    parts = [set(part.tolist()) for part in np.array_split(names, min(_PARTS, len(names)))]
    harms: dict[Method, float] = {}
    for i, method in enumerate(METHODS):
        on_step("comparing ways to calibrate", i, len(METHODS))
        plans = [Plan(method, tuple(name for name in names if name not in part)) for part in parts]
        harms[method] = sum(laboratory.harm(plan, few) for plan in plans)
    return min(harms, key=lambda method: harms[method])


def exclusions(plan: Plan, harms: Sequence[Harm]) -> Iterator[Plan]:
    """The plan with more and more layers in float, those that it has there already among them; the first has
    those that do outstanding harm and cost next to nothing, the last as many as are worth it at all."""
    middle = float(np.median([each.harm for each in harms]))
    cheap: list[Harm] = []
    for each in harms:
        is_outstanding = each.harm > max(_OUTSTANDING * middle, _NO_HARM)
        if is_outstanding and sum(h.share + h.border for h in [*cheap, each]) <= _CHEAP:
            cheap.append(each)
    ranked = [*cheap, *(each for each in harms if each not in cheap)]
    most = int(np.searchsorted(np.cumsum([each.share for each in ranked]), _MOST_IN_FLOAT, side="right"))
    count = max(len(cheap), len(plan.floats))
    while count <= most:
        yield replace(plan, floats=tuple(each.layer.name for each in ranked[:count]))
        if count == most:
            return
        count = min(most, count + max(1, count // 2))


@dataclass(frozen=True)
class Search:
    """Among plans, by the agreement on a sample."""

    laboratory: Laboratory
    harms: Sequence[Harm]
    sample: Sample
    floor: float
    on_step: Step

    def agrees(self, plan: Plan) -> bool:
        """Boxes must also lie well: over the overlaps of 0.50 to 0.95 no more may be lost than three times
        what the floor allows."""
        found = self.laboratory.agreement(plan, self.sample)
        lowest = 1 - _LOSS_OF_PLACE * (1 - self.floor)
        return found.value >= self.floor and (found.ap is None or found.ap >= lowest)

    def first_that_agrees(self, plans: Iterator[Plan]) -> Plan | None:
        """None where none does."""
        for plan in plans:
            self.on_step(f"{len(plan.floats)} layers in float", 0, 0)
            if self.agrees(plan):
                return plan
        return None

    def with_faster_groups(self, plan: Plan) -> Plan:
        """What lies between layers quantized too, as far as that is faster here, with some more layers in
        float if that is what it takes to agree."""
        present = {layer.group for layer in self.laboratory.layers}
        candidates = [group for group in GROUPS if group in present]
        for i, group in enumerate(candidates):
            self.on_step(f"quantizing {group}", i, len(candidates))
            wider = replace(plan, groups=(*plan.groups, group))
            try:
                if not self._is_faster(wider, plan):
                    continue
                more = exclusions(wider, self.harms)
                found = self.first_that_agrees(islice(more, _TRIES_WITH_GROUP))
            except ModelError:  # a combination that this build of ONNX Runtime has no kernel for
                continue
            if found is not None and (found == wider or self._is_faster(found, plan)):
                plan = found
        return plan

    def _is_faster(self, one: Plan, other: Plan) -> bool:
        pair = [Recogniser(self.laboratory.model(plan), threads=1) for plan in (one, other)]
        first, second = times_ms(pair, self.sample)
        return first < _FASTER * second


def times_ms(recognisers: Sequence[Recogniser], sample: Sample, seconds: float = 4.0) -> list[float]:
    """The shortest of each one's inferences, in turns, so that what else the machine does hits all."""
    picture = sample.pictures[0]
    for recogniser in recognisers:
        recogniser.run(picture)
    started_ns = monotonic_ns()
    taken: list[list[float]] = []
    while len(taken) < _RUNS and monotonic_ns() - started_ns < seconds * 1e9:
        taken.append([recogniser.time_ms(picture) for recogniser in recognisers])
    return [min(each) for each in zip(*taken, strict=True)]
