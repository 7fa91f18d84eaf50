"""Tracker: objects keep their ids, through misses, dropped frames and crossings, and know their velocity."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edge_engine.config import TrackingConfig
from edge_engine.result import Objects, TrackState
from edge_engine.tracking.tracker import Tracker
from tests.tracking.scenes import NS, Street, ids, objects, tracker

COORDINATES = st.sampled_from([0, 1, 5, 40, 41, 90, -30, 1e-30, 1e7, 3e38, -3e38, np.nan, np.inf, -np.inf])
SCORES = st.sampled_from([0, 0.05, 0.2, 0.5, 0.9, 1, -1, np.nan, np.inf])
GAPS_NS = st.sampled_from([0, 1, 40_000_000, 900_000_000, 10**15, -(10**9)])


@st.composite
def pictures(draw: st.DrawFn) -> Objects:
    n = draw(st.integers(0, 12))
    return Objects(
        draw(hnp.arrays(np.float32, (n, 4), elements=COORDINATES.map(np.float32))),
        draw(hnp.arrays(np.float32, n, elements=SCORES.map(np.float32))),
        draw(hnp.arrays(np.int32, n, elements=st.integers(0, 2))),
    )


CONFIGS = st.builds(
    TrackingConfig,
    confirm_after=st.integers(1, 4),
    max_lost_ms=st.sampled_from([1, 1000, 60_000]),
    across_classes=st.booleans(),
    recovery=st.booleans(),
    publish_lost=st.booleans(),
    new_track_thresh=st.sampled_from([None, 0.8]),
)


def test_with_other_labels_all_tracks_end_and_their_ids_are_not_given_again() -> None:
    one = tracker(confirm_after=1)
    one.adopt(0.5, ["car"])
    assert ids(one.update(objects((50, 50)), 0)) == [1]
    one.adopt(0.5, ["car"])
    assert ids(one.update(objects((50, 50)), NS // 25)) == [1]
    one.adopt(0.5, ["face"])
    assert ids(one.update(objects((50, 50)), 2 * NS // 25)) == [2]
    one.adopt(0.95, ["face"])
    assert ids(one.update(objects((50, 50), (300, 300)), 3 * NS // 25)) == [2], "0.9 begins no more"


@settings(deadline=None, max_examples=300)
@given(CONFIGS, st.lists(st.tuples(pictures(), GAPS_NS), max_size=10))
def test_whatever_comes_ids_are_unique_positive_and_never_given_twice(
    config: TrackingConfig, sequence: list[tuple[Objects, int]]
) -> None:
    one, now_ns, newest, known = Tracker(config), 0, 0, set[int]()
    for seen, gap_ns in sequence:
        now_ns += gap_ns
        found = one.update(seen, now_ns)
        assert found.tracking is not None
        given_ids = ids(found)
        assert len(set(given_ids)) == len(given_ids)
        begun = sorted(set(given_ids) - known)
        assert all(i > newest for i in begun)
        newest, known = max([newest, *begun]), known | set(begun)
        assert min(given_ids, default=1) >= 1
        is_lost = found.tracking.states == TrackState.LOST
        assert config.publish_lost or not is_lost.any()
        assert np.isfinite(found.boxes_xyxy).all()
        assert np.isfinite(found.tracking.velocities).all()
        assert (np.linalg.eigvalsh(found.tracking.velocity_covariances.astype(np.float64)) > 0).all()
        assert_rows_in_order(found.boxes_xyxy[~is_lost], seen.boxes_xyxy)
        assert not is_lost[: len(is_lost) - is_lost.sum()].any()


def assert_rows_in_order(some: np.ndarray, of: np.ndarray) -> None:
    rows = iter(of)
    assert all(any(np.array_equal(row, other) for other in rows) for row in some)


def test_the_first_picture_gives_ids_from_1_up_and_confirmed() -> None:
    found = tracker().update(objects((100, 100), (300, 100)), 0)
    assert ids(found) == [1, 2]
    assert found.tracking is not None
    assert found.tracking.states.tolist() == [TrackState.CONFIRMED] * 2


def test_who_comes_later_is_new_until_seen_often_enough() -> None:
    one, states = tracker(confirm_after=3), []
    one.update(objects(), 0)
    for k in range(1, 5):
        found = one.update(objects((100, 100)), k * NS // 25)
        assert found.tracking is not None
        states.append(int(found.tracking.states[0]))
    assert states == [TrackState.NEW, TrackState.NEW, TrackState.CONFIRMED, TrackState.CONFIRMED]


def test_a_new_one_that_is_missed_is_forgotten_and_its_id_is_not_given_again() -> None:
    one = tracker()
    one.update(objects(), 0)
    assert ids(one.update(objects((100, 100)), NS // 25)) == [1]
    one.update(objects(), 2 * NS // 25)
    assert ids(one.update(objects((100, 100)), 3 * NS // 25)) == [2]


def walk(one: Tracker, frames: range, speed: float = 100) -> list[Objects]:
    """Seen at 25 frames a second, moving to the right by so many pixels a second."""
    return [one.update(objects((100 + speed * k / 25, 100)), k * NS // 25) for k in frames]


def test_who_is_lost_keeps_its_id_when_it_is_found_again() -> None:
    one = tracker()
    walk(one, range(30))
    for k in range(30, 45):
        assert ids(one.update(objects(), k * NS // 25)) == []
    assert ids(walk(one, range(45, 46))[0]) == [1]


def test_who_is_lost_for_too_long_is_somebody_else() -> None:
    one = tracker(max_lost_ms=300)
    walk(one, range(30))
    one.update(objects(), 30 * NS // 25)
    assert ids(walk(one, range(45, 46))[0]) == [2]


def test_a_lost_one_is_published_where_it_is_expected_if_asked_for() -> None:
    one = tracker(publish_lost=True)
    walk(one, range(30))
    uncertain = []
    for k in range(30, 40):
        found = one.update(objects(), k * NS // 25)
        assert found.tracking is not None
        assert found.tracking.states.tolist() == [TrackState.LOST]
        assert found.scores.tolist() == [0]
        assert (found.boxes_xyxy[0, 0] + found.boxes_xyxy[0, 2]) / 2 == pytest.approx(100 + 4 * k, abs=3)
        uncertain.append(float(found.tracking.velocity_covariances[0, 0, 0]))
    assert uncertain == sorted(uncertain)


@pytest.mark.parametrize("speed", [-80.0, 40.0, 80.0])
@pytest.mark.parametrize("seed", [None, 1, 2])
def test_velocity_is_in_pixels_per_second_also_with_dropped_frames(speed: float, seed: int | None) -> None:
    """A seed drops half of the frames and makes their stamps uneven by up to 10 ms."""
    rng = np.random.default_rng(seed)
    stamps_s = np.arange(75) / 25
    if seed is not None:
        stamps_s = (stamps_s + rng.uniform(0, 0.01, 75))[rng.random(75) < 0.5]
    one = tracker(confirm_after=1)
    for stamp_s in stamps_s:
        found = one.update(objects((500 + speed * stamp_s, 300 - 20 * stamp_s)), int(stamp_s * NS))
        assert ids(found) == [1]
    assert found.tracking is not None
    np.testing.assert_allclose(found.tracking.velocities[0], [speed, -20], atol=4)


def test_errors_of_velocity_stay_within_what_their_covariance_says() -> None:
    rng, errors = np.random.default_rng(1), []
    for _ in range(50):
        one = tracker()
        for k in range(40):
            place = 100 + 4 * k + rng.normal(0, 4)  # a twentieth of the height, as the filter takes it
            found = one.update(objects((place, 100)), k * NS // 25)
        assert found.tracking is not None
        spread = np.sqrt(found.tracking.velocity_covariances[0, 0, 0])
        errors.append((found.tracking.velocities[0, 0] - 100) / spread)
    assert 0.05 < np.std(errors) < 1  # far below 1: they move evenly, and the filter allows for turns


def test_a_class_is_an_identity_of_its_own_unless_asked_across() -> None:
    for across, expected in ((False, [2]), (True, [1])):
        one = tracker(across_classes=across)
        one.update(objects((100, 100, 0.9, 0)), 0)
        assert ids(one.update(objects((102, 100, 0.9, 1)), NS // 25)) == expected


def test_two_of_different_classes_in_one_place_are_two() -> None:
    one = tracker()
    for k in range(5):
        assert ids(one.update(objects((100, 100, 0.9, 0), (101, 100, 0.8, 1)), k * NS // 25)) == [1, 2]


def test_a_low_score_goes_on_with_a_track_and_begins_none() -> None:
    one = tracker()
    one.update(objects((100, 100)), 0)
    assert ids(one.update(objects((101, 100, 0.3), (500, 100, 0.3)), NS // 25)) == [1]


def test_thresholds_may_be_a_classes_own() -> None:
    one = Tracker(TrackingConfig(), np.array([0.5, 0.8], np.float32))
    found = one.update(objects((100, 100, 0.7, 0), (300, 100, 0.7, 1)), 0)
    assert found.class_ids.tolist() == [0]


def test_who_stopped_while_it_was_lost_is_recovered_where_it_was_last_seen() -> None:
    for recovery, expected in ((False, [2]), (True, [1])):
        one = tracker(recovery=recovery)
        walk(one, range(30), speed=200)
        for k in range(30, 40):
            one.update(objects(), k * NS // 25)
        last = 100 + 200 * 29 / 25
        found = one.update(objects((last + 2, 100)), 40 * NS // 25)
        assert ids(found) == expected
    assert found.tracking is not None
    assert abs(found.tracking.velocities[0, 0]) < 100, "its motion was made good"


def test_crossing_paths_keep_their_ids() -> None:
    one = tracker()
    for k in range(60):
        x = 8 * k
        found = one.update(objects((x, 100), (480 - x, 130)), k * NS // 25)
    assert ids(found) == [1, 2]


def test_two_pictures_of_one_moment_move_nothing() -> None:
    one = tracker(publish_lost=True)
    walk(one, range(30))
    first, second = (one.update(objects(), 30 * NS // 25) for _ in range(2))
    np.testing.assert_array_equal(first.boxes_xyxy, second.boxes_xyxy)


def test_keypoints_and_masks_go_with_their_objects() -> None:
    seen = objects((100, 100), (300, 100, 0.01), (500, 100))
    seen.keypoints = np.arange(9, dtype=np.float32).reshape(3, 1, 3)
    seen.masks = np.arange(3, dtype=np.uint8).reshape(3, 1, 1)
    one = tracker(publish_lost=True)
    found = one.update(seen, 0)
    assert found.keypoints is not None
    assert found.masks is not None
    assert found.keypoints[:, 0, 0].tolist() == [0, 6]
    assert found.masks.ravel().tolist() == [0, 2]
    rest = one.update(Objects(*(a[:0] for a in (seen.boxes_xyxy, seen.scores, seen.class_ids))), NS // 25)
    assert len(rest) == 2


@pytest.mark.parametrize("recovery", [False, True])
@pytest.mark.parametrize("dropped", [0.0, 0.5])
def test_people_in_a_street_keep_their_ids(recovery: bool, dropped: float) -> None:
    street, rng = Street.of(n=12, frames=150, seed=3), np.random.default_rng(4)
    one, of_whom = tracker(recovery=recovery), dict[int, set[int]]()
    for k, (seen, who) in enumerate(zip(street.seen, street.seen_who, strict=True)):
        if rng.random() < dropped:
            continue
        whose = {tuple(box): int(person) for box, person in zip(seen.boxes_xyxy.tolist(), who, strict=True)}
        found = one.update(seen, k * NS // 25)
        assert found.tracking is not None
        rows = zip(found.boxes_xyxy.tolist(), ids(found), found.tracking.states, strict=True)
        for box, i, state in rows:
            if whose[tuple(box)] >= 0 and state == TrackState.CONFIRMED:
                of_whom.setdefault(whose[tuple(box)], set()).add(i)
    assert sorted(of_whom) == list(range(12))
    assert sum(len(given) - 1 for given in of_whom.values()) <= 1, of_whom
