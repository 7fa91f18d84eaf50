"""Each graph is claimed by the family that it is of, and by no other."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from edge_engine.models.facts import GraphFacts
from edge_engine.models.families import load_family
from tests.models.many_facts import OTHERS, OURS

CLAIMED = [(family, shown) for family, graphs in OURS.items() for shown in graphs]


@pytest.mark.parametrize(("family", "shown"), CLAIMED)
def test_a_graph_is_claimed_by_its_family_alone(family: str, shown: GraphFacts) -> None:
    claims = {name: load_family(name).deduce(shown) for name in OURS}
    assert {name for name, deduction in claims.items() if deduction is not None} == {family}
    deduction = claims[family]
    assert deduction is not None
    assert deduction.family == family
    assert deduction.classes in (80, 90, 20, 0)
    assert all(value > 0 for value in asdict(deduction)["std"])


@pytest.mark.parametrize("family", OURS)
@pytest.mark.parametrize("name", OTHERS)
def test_graphs_of_other_families_are_left_alone(family: str, name: str) -> None:
    assert load_family(family).deduce(OTHERS[name]) is None
