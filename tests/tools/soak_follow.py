"""python -m tests.tools.soak_follow [--faults 100] [--seed 0]

A robot follows a person while its camera and its engine freeze, die and come back, and pictures repeat, at
random and for random times; by turns a rover and a pan-tilt head. Prints what is asked and what was measured;
exit 1 on a miss.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.sources import soak_network
from tests.sources.soak_network import report
from tests.tools.following import MAX_AGE_MS, STILL_AFTER_MS, Following, Judgement, judge
from tools.follow.robots import PanTilt, Rover

_A_RUN = 20
_HIDDEN_MS = MAX_AGE_MS + STILL_AFTER_MS + 250


def run(faults: int, robot: type[Rover] | type[PanTilt], chance: random.Random) -> Judgement:
    with TemporaryDirectory() as folder:
        with Following(Path(folder), robot()) as following:
            following.wait_moving()
            for number in range(faults):
                suffer(following, chance)
                print(f"\r{number + 1} of {faults}", end="", file=sys.stderr)  # noqa: T201
        print(file=sys.stderr)  # noqa: T201
        return judge(following.ticks, following.pictures())


def suffer(following: Following, chance: random.Random) -> None:
    """One fault, after which it has to follow again."""
    kinds = (
        following.freeze_camera,
        following.restart_camera,
        following.repeat_pictures,
        following.freeze_engine,
        following.restart_engine,
    )
    goal_m = chance.choice((-1.0, 1.0))
    following.walk_to(goal_m)
    time.sleep(chance.uniform(0, 1))
    chance.choice(kinds)(chance.uniform(0.05, 1.5))
    following.wait_moving()
    following.walk_to(goal_m)  # also to a camera that is a new one
    following.wait_facing(goal_m)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    chance, found = random.Random(arguments.seed), list[Judgement]()
    for number, done in enumerate(range(0, arguments.faults, _A_RUN)):
        robot = (Rover, PanTilt)[number % 2]
        found.append(run(min(_A_RUN, arguments.faults - done), robot, chance))
    moved, stale = sum(each.moved for each in found), sum(each.stale for each in found)
    oldest_ms, light_ms = max(each.oldest_ms for each in found), max(each.oldest_light_ms for each in found)
    what = f"a robot that follows a person, {arguments.faults} faults: turns of the loop that move it"
    report(f"{what} on a picture older than {MAX_AGE_MS} ms", "0", f"{stale} of {moved}", holds=not stale)
    report("the oldest picture that moved it", f"<= {MAX_AGE_MS} ms", f"{oldest_ms:.0f} ms", holds=not stale)
    report(
        "the oldest light, of a camera that repeats its last picture under new stamps",
        f"<= {_HIDDEN_MS} ms",
        f"{light_ms:.0f} ms",
        holds=light_ms <= _HIDDEN_MS,
    )
    sys.exit(bool(soak_network.misses))


if __name__ == "__main__":
    main()
