"""A controller that follows a person with a simulated robot, fifty times a second, and never on old pictures.

    edge-engine run configs/follow.yaml             # in a first terminal
    python -m tools.follow --robot rover

Without a picture young enough, or with a camera or an engine in doubt, it commands zero, and says why. The
safety rule is tools/follow/safety.py; tools/follow/robots.py is what you put your own motors in place of.
"""

from __future__ import annotations

import argparse
import signal
import sys
from contextlib import suppress

import msgspec

from edge_engine import Subscriber
from edge_engine.client import DEFAULT_ENDPOINT
from edge_engine.clock import NS_PER_S, monotonic_ns
from tools.follow.loop import Tick, follow
from tools.follow.robots import Driver, PanTilt, Pose, Rover

ROBOTS: dict[str, type[PanTilt] | type[Rover]] = {"pan-tilt": PanTilt, "rover": Rover}
_LINE_EVERY_NS = NS_PER_S // 5


def main() -> None:
    arguments = parse()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    driver, began_ns, shown_ns = Driver(ROBOTS[arguments.robot](), monotonic_ns()), monotonic_ns(), 0
    with Subscriber(arguments.endpoint, arguments.stream) as subscriber, suppress(KeyboardInterrupt):
        for tick in follow(
            subscriber,
            driver,
            label=arguments.label,
            max_age_ms=arguments.max_age_ms,
            keep_m=arguments.keep_m,
        ):
            if arguments.json:
                sys.stdout.write(f"{msgspec.json.encode(tick).decode()}\n")
                sys.stdout.flush()
            elif tick.commanded_ns - shown_ns >= _LINE_EVERY_NS:
                shown_ns = tick.commanded_ns
                show(tick, driver.robot.pose)
            if arguments.seconds and tick.commanded_ns - began_ns > arguments.seconds * NS_PER_S:
                break
    print(file=sys.stderr)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tools.follow",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--endpoint", default=DEFAULT_ENDPOINT, help="where the engine publishes")
    parser.add_argument("--stream", help="which of its streams, where it has several")
    parser.add_argument("--robot", choices=sorted(ROBOTS), default="pan-tilt")
    parser.add_argument("--label", default="person", help="whom to follow (default person)")
    parser.add_argument("--max-age-ms", type=float, default=300, help="of a picture to act on (default 300)")
    parser.add_argument("--keep-m", type=float, default=2.0, help="how near the rover comes (default 2)")
    parser.add_argument("--seconds", type=float, help="end after so long; else with Ctrl-C")
    parser.add_argument("--json", action="store_true", help="one JSON object for each turn of the loop")
    return parser.parse_args()


def show(tick: Tick, pose: Pose) -> None:
    """One line, over and over."""
    age = "no picture" if tick.age_ms is None else f"{tick.age_ms:4.0f} ms old"
    what = tick.reason or (
        f"#{tick.track_id}  turn {tick.command.turn_rad_s:+.2f} rad/s, "
        f"forward {tick.command.forward_m_s:.2f} m/s"
    )
    place = f"at {pose.x:.1f}, {pose.y:.1f} m, heading {pose.heading:+.2f} rad"
    print(
        f"\r\033[K{age}  {place}  {'STOP: ' if tick.reason else ''}{what}",
        end="",
        file=sys.stderr,
        flush=True,
    )


if __name__ == "__main__":
    main()
