"""An engine on another machine: its clocks have nothing to do with this one's.

    python -m tests.rigs.other_machine [--ahead-s 86400] [--wall-ahead-s -3600] [--fps 50] [--port N]
        [--websocket]

Says `READY <port>` of its publisher, which is ZeroMQ's or, for browsers, a WebSocket. Without `--ahead-s` and
`--wall-ahead-s` its clocks are this machine's. `hold` on stdin lets no frame come any more, `go` again.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time

from edge_engine import clock


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--ahead-s", type=float, default=86_400.0)
    parser.add_argument("--wall-ahead-s", type=float, default=0.0)
    parser.add_argument("--fps", type=int, default=50)
    parser.add_argument("--max-age-ms", type=int, default=500)
    parser.add_argument("--port", default="*")
    parser.add_argument("--websocket", action="store_true")
    arguments = parser.parse_args()
    if arguments.ahead_s or arguments.wall_ahead_s:
        _set_clocks(int(arguments.ahead_s * 1e9), int(arguments.wall_ahead_s * 1e9))

    import numpy as np

    from edge_engine.config import Config, OutputsConfig, StreamConfig, WebSocketConfig, ZeroMqConfig
    from edge_engine.engine import Engine

    address = f"127.0.0.1:{arguments.port}"
    if arguments.websocket:
        outputs = OutputsConfig(websocket=WebSocketConfig(endpoint=address))
    else:
        outputs = OutputsConfig(zeromq=ZeroMqConfig(endpoint=f"tcp://{address}"))
    stream = StreamConfig(source="push:", max_age_ms=arguments.max_age_ms, min_fps=5, still_after_ms=None)
    config = Config(streams={"a": stream}, outputs=outputs)
    flows = threading.Event()
    flows.set()
    with Engine(config, collect=False) as engine:
        print(f"READY {engine.outputs[0].endpoint.rpartition(':')[2]}", flush=True)  # noqa: T201
        threading.Thread(target=_obey, args=[flows], daemon=True).start()
        noise = np.random.default_rng(0).integers(0, 255, (240, 320, 3), np.uint8)
        while True:
            flows.wait()
            engine.push("a", noise)
            time.sleep(1 / arguments.fps)


def _set_clocks(ahead_ns: int, wall_ahead_ns: int) -> None:
    """Before any other module of the engine has taken them."""
    monotonic_ns, utc_ns = clock.monotonic_ns, clock.utc_ns
    clock.monotonic_ns = lambda: monotonic_ns() + ahead_ns
    clock.utc_ns = lambda: utc_ns() + wall_ahead_ns
    clock.clock_id = lambda: f"ahead by {ahead_ns}"


def _obey(flows: threading.Event) -> None:
    for line in sys.stdin:
        (flows.clear if line.strip() == "hold" else flows.set)()


if __name__ == "__main__":
    main()
