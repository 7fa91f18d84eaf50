"""ClockSync: what it says of another machine's clock is true, whatever the network does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge_engine.client.clock_sync import MAX_DRIFT, bounds, narrowest

MS = 1_000_000
delays = st.integers(0, 500 * MS)
exchanges = st.lists(st.tuples(delays, delays, delays, st.integers(0, 2_000 * MS)), min_size=1, max_size=64)


@given(exchanges, st.integers(-(10**15), 10**15), st.floats(-MAX_DRIFT / 2, MAX_DRIFT / 2))
def test_the_true_offset_is_within_the_uncertainty_for_any_delays_and_drift(
    steps: list[tuple[int, int, int, int]], ahead_ns: int, drift: float
) -> None:
    def there(here_ns: int) -> int:
        return here_ns + ahead_ns + int(drift * here_ns)

    now_ns, known = 0, []
    for going_ns, answering_ns, coming_ns, pause_ns in steps:
        received_ns = now_ns + going_ns
        answered_ns = received_ns + answering_ns
        back_ns = answered_ns + coming_ns
        known.append(bounds(now_ns, there(received_ns), there(answered_ns), back_ns))
        now_ns = back_ns + pause_ns
    offset = narrowest(known, now_ns)
    assert offset is not None
    assert abs(offset.ns - (there(now_ns) - now_ns)) <= offset.uncertainty_ns
    quickest_ns = min(each.upper_ns - each.lower_ns for each in known)
    assert offset.uncertainty_ns <= quickest_ns // 2 + MAX_DRIFT * now_ns + len(known) + 2


def test_one_quick_exchange_makes_up_for_slow_ones() -> None:
    known = [bounds(0, 400 * MS, 400 * MS, 500 * MS), bounds(500 * MS, 501 * MS, 501 * MS, 502 * MS)]
    offset = narrowest(known, 502 * MS)
    assert offset is not None
    assert abs(offset.ns) <= offset.uncertainty_ns < 1.1 * MS


def test_after_a_clock_was_changed_the_newest_exchanges_count() -> None:
    hour_ns = 3_600_000 * MS
    known = [bounds(0, MS, MS, 2 * MS), bounds(10 * MS, hour_ns + 11 * MS, hour_ns + 11 * MS, 12 * MS)]
    offset = narrowest(known, 12 * MS)
    assert offset is not None
    assert abs(offset.ns - hour_ns) <= offset.uncertainty_ns


def test_nothing_is_known_without_an_answer() -> None:
    assert narrowest([], 0) is None
