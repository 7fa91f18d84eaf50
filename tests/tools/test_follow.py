"""follow: the example's robot follows a person, and never moves on stale data, whatever happens."""

from __future__ import annotations

import math
import time
from pathlib import Path

import pytest

from edge_engine.clock import NS_PER_MS, NS_PER_S
from edge_engine.wire import Counters, GeometryRow, ObjectRow, ResultMessage
from tests.tools.following import MAX_AGE_MS, STILL_AFTER_MS, Following, judge
from tools.follow.loop import PERIOD_NS, ticks
from tools.follow.robots import Driver, PanTilt, Rover
from tools.follow.steering import STOP, Command, seen, steer
from tools.follow.target import FORGOTTEN_AFTER_NS, Target

# A camera that repeats itself is found after still_after_ms, and some pictures.
_HIDDEN_MS = MAX_AGE_MS + STILL_AFTER_MS + 250


def test_a_rover_follows_a_person_and_never_moves_on_stale_data(tmp_path: Path) -> None:
    with Following(tmp_path, Rover()) as following:
        following.wait_moving()
        following.walk_to(1.0)
        following.wait_facing(1.0)
        for fault in (
            following.freeze_camera,
            following.repeat_pictures,
            following.freeze_engine,
            following.restart_camera,
            following.restart_engine,
        ):
            fault_began = len(following.ticks)
            fault(0.6)
            assert any(tick.reason for tick in following.ticks[fault_began:]), f"{fault.__name__}: unnoticed"
            following.wait_moving()
        following.walk_to(-1.0)
        following.wait_facing(-1.0)
    judgement = judge(following.ticks, following.pictures())
    assert judgement.moved > 50
    assert judgement.stale == 0, judgement
    assert judgement.oldest_light_ms < _HIDDEN_MS, judgement


def test_the_loop_comes_every_period_without_drift() -> None:
    """What a turn takes, and how late it was, moves none of the later ones."""
    began_ns = time.monotonic_ns()
    turns = skipped = 0
    for late in ticks():
        turns, skipped = turns + 1, skipped + late
        if turns == 20:
            time.sleep(0.05)  # two and a half periods
        if turns == 40:
            break
    expected_ns = (turns - 1 + skipped) * PERIOD_NS
    assert skipped >= 1
    assert 0 <= time.monotonic_ns() - began_ns - expected_ns < PERIOD_NS + 500 * NS_PER_MS


def test_a_command_ends_when_its_picture_is_too_old_even_if_the_loop_hangs() -> None:
    driver = Driver(PanTilt(), 0)
    driver.obey(Command(turn_rad_s=1.0, expires_ns=NS_PER_S), 0)
    driver.obey(STOP, 60 * NS_PER_S)  # the loop was away for a minute
    assert 0.9 < driver.robot.pose.heading < 1.1


def test_a_command_that_comes_too_late_is_not_obeyed() -> None:
    driver = Driver(Rover(), 0)
    assert driver.obey(Command(forward_m_s=1.0, expires_ns=NS_PER_S), NS_PER_S) == STOP
    driver.obey(STOP, 2 * NS_PER_S)
    assert driver.robot.pose.x == 0


def test_a_rover_needs_a_while_to_stop() -> None:
    """v² / 2a after the command to stop."""
    driver = Driver(Rover(), 0)
    driver.obey(Command(forward_m_s=0.8, expires_ns=9 * NS_PER_S), 0)
    driver.obey(STOP, 2 * NS_PER_S)
    at_stop = driver.robot.pose.x
    for step in range(1, 100):
        driver.obey(STOP, 2 * NS_PER_S + step * PERIOD_NS)
    assert driver.robot.pose.x - at_stop == pytest.approx(0.8**2 / (2 * 2.0), abs=0.01)


def test_a_rover_turns_on_the_spot_by_opposite_wheels() -> None:
    driver = Driver(Rover(), 0)
    driver.obey(Command(turn_rad_s=1.0, expires_ns=9 * NS_PER_S), 0)
    driver.obey(STOP, NS_PER_S)
    x, y, heading, _ = driver.robot.pose
    assert (x, y) == pytest.approx((0, 0))
    assert 0.8 < heading < 1.0


def test_a_head_does_not_turn_beyond_its_end() -> None:
    driver = Driver(PanTilt(), 0)
    for turn in range(300):
        driver.obey(Command(turn_rad_s=1.2, tilt_rad_s=-1.2, expires_ns=2**62), turn * 5 * PERIOD_NS)
    assert driver.robot.pose.heading == pytest.approx(math.radians(170))
    assert driver.robot.pose.tilt == pytest.approx(-math.radians(45))


def person(left: float, height: float, track_id: int | None, state: str = "confirmed") -> ObjectRow:
    box = (left, 400 - height, left + 60, 400.0)
    return ObjectRow(box, 0.9, 0, "person", track_id=track_id, track_state=state)  # type: ignore[arg-type]


def result(*rows: ObjectRow, captured_ns: int = 0, session: str = "s") -> ResultMessage:
    return ResultMessage(
        stream="front",
        seq=0,
        session=session,
        captured_ns=captured_ns,
        captured_utc_ns=0,
        published_ns=0,
        valid_until_ns=0,
        size=(640, 480),
        model="m",
        stages_ms={},
        counters=Counters(0, 0, 0, {}),
        objects=list(rows),
    )


def found(target: Target, result: ResultMessage) -> int | None:
    row = target.find(result)
    return None if row is None else row.track_id


def test_the_nearest_is_followed_and_kept_when_another_comes_nearer() -> None:
    target = Target()
    assert found(target, result(person(0, 100, 1), person(100, 200, 2), person(200, 300, 3, "new"))) == 2
    assert found(target, result(person(0, 300, 1), person(100, 200, 2), captured_ns=1)) == 2


def test_another_is_followed_only_once_the_first_is_lost_for_good() -> None:
    target = Target()
    assert found(target, result(person(0, 100, 1))) == 1
    assert found(target, result(person(0, 300, 2), captured_ns=FORGOTTEN_AFTER_NS - 1)) is None
    assert found(target, result(person(0, 300, 2), captured_ns=FORGOTTEN_AFTER_NS)) == 2


def test_an_id_of_another_run_of_the_engine_is_another_person() -> None:
    target = Target()
    assert found(target, result(person(0, 100, 1))) == 1
    assert found(target, result(person(0, 50, 1), person(0, 90, 2), session="t", captured_ns=5)) == 2


def test_without_a_cameras_geometry_pixels_tell_the_side() -> None:
    left, right = seen(person(0, 200, 1), (640, 480)), seen(person(580, 200, 1), (640, 480))
    assert left.bearing_rad == pytest.approx(-right.bearing_rad)
    assert left.bearing_rad > 0.3
    assert left.distance_m is not None
    assert left.distance_m > 1


def test_with_it_the_engines_metres_and_degrees_count() -> None:
    where = GeometryRow(10.0, 1.0, -5.0, 1.0, 4.0, 0.5)
    row = ObjectRow((0, 0, 9, 9), 0.9, 0, "person", geometry=where)
    command = steer(seen(row, (640, 480)), 2.0, 77)
    assert command.turn_rad_s > 0 > command.tilt_rad_s
    assert command.forward_m_s > 0
    assert command.expires_ns == 77


def test_a_rover_does_not_drive_where_the_distance_is_not_known() -> None:
    where = GeometryRow(10.0, 1.0, -5.0, 1.0, None, None)
    row = ObjectRow((0, 0, 9, 9), 0.9, 0, "person", geometry=where)
    assert steer(seen(row, (640, 480)), 2.0, 77).forward_m_s == 0
