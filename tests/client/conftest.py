"""A publisher, and a subscriber that has joined it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from edge_engine.client import Subscriber
from tests.client.publisher import Publisher


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with Publisher() as publisher:
        yield publisher


@pytest.fixture
def subscriber(publisher: Publisher) -> Iterator[Subscriber]:
    with Subscriber(publisher.endpoint) as subscriber:
        publisher.wait_for_subscriptions()
        yield subscriber
