"""An autopilot's side of MAVLink, by pymavlink's own connections, as a process of its own.

`python -m tests.rigs.autopilot udpin|tcpin [--port N]`. It answers TIMESYNC by a clock that is AHEAD_S ahead.
On stdin, `last NAME` is answered by the newest message of that name as JSON, null without one; `forget` by
ok.
"""

from __future__ import annotations

import argparse
import json
import socket
import sys
import threading
import time
from typing import Any

from pymavlink import mavutil

AHEAD_S = 5000


def free_port(kind: int) -> int:
    with socket.socket(socket.AF_INET, kind) as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def listen(link: Any, last: dict[str, dict[str, Any]]) -> None:  # noqa: ANN401
    while True:
        message = link.recv_match(blocking=True, timeout=0.1)
        if message is None:
            continue
        if message.get_type() == "TIMESYNC" and message.tc1 == 0:
            link.mav.timesync_send(time.monotonic_ns() + AHEAD_S * 10**9, message.ts1)
        seen = last.get(message.get_type(), {"count": 0})["count"]
        last[message.get_type()] = {
            **message.to_dict(),
            "count": seen + 1,
            "system": message.get_srcSystem(),
            "component": message.get_srcComponent(),
            "is_version_2": message.get_msgbuf()[0] == 0xFD,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["udpin", "tcpin"])
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    kind = socket.SOCK_DGRAM if arguments.kind == "udpin" else socket.SOCK_STREAM
    port = arguments.port or free_port(kind)
    link = mavutil.mavlink_connection(
        f"{arguments.kind}:127.0.0.1:{port}", dialect="common", source_system=1, source_component=1
    )
    last: dict[str, dict[str, Any]] = {}
    threading.Thread(target=listen, args=(link, last), daemon=True).start()
    print(f"READY {port}", flush=True)  # noqa: T201
    for line in sys.stdin:
        word, _, name = line.strip().partition(" ")
        if word == "forget":
            last.clear()
        print(json.dumps(last.get(name)) if word == "last" else "ok", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
