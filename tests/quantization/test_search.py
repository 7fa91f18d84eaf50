"""Search: which layers stay in float, and in which steps more of them do."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_engine.quantization.laboratory import Plan
from edge_engine.quantization.layers import Layer
from edge_engine.quantization.search import Harm, exclusions

MOST_IN_FLOAT = 0.6


def harms_of(harms: list[float], weights: list[int]) -> list[Harm]:
    layers = [Layer(f"conv{i}", "Conv", "layers") for i in range(len(harms))]
    total = sum(weights)
    found = [
        Harm(layer, harm, weight / total, 0.01)
        for layer, harm, weight in zip(layers, harms, weights, strict=True)
    ]
    return sorted(found, key=lambda each: -each.harm / (each.share + each.border))


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 100)), min_size=1, max_size=60))
def test_more_and_more_layers_stay_in_float_up_to_as_many_as_are_worth_it(
    drawn: list[tuple[float, int]],
) -> None:
    harms = harms_of(*map(list, zip(*drawn, strict=True)))
    share = {each.layer.name: each.share for each in harms}
    plans = list(exclusions(Plan("percentile"), harms))
    sets = [set(plan.floats) for plan in plans]
    assert all(fewer < more for fewer, more in itertools.pairwise(sets))
    assert all(sum(share[name] for name in floats) <= MOST_IN_FLOAT + 1e-9 for floats in sets)
    if sets:
        left = [each for each in harms if each.layer.name not in sets[-1]]
        taken = sum(share[name] for name in sets[-1])
        assert not left or taken + max(each.share for each in left) > MOST_IN_FLOAT - 1e-9


@pytest.mark.parametrize("there", [0, 3])
def test_what_stays_in_float_already_goes_on_doing_so(there: int) -> None:
    harms = harms_of([0.5 - i / 100 for i in range(20)], [10] * 20)
    first = next(iter(exclusions(Plan("percentile", tuple(str(i) for i in range(there))), harms)))
    assert len(first.floats) >= there
