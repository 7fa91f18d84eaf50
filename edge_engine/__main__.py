"""The program's entry: `edge-engine` and `python -m edge_engine`."""

from __future__ import annotations

import os
import signal
import sys


def main() -> None:
    """Run the command line; a library that this system lacks is one line, not a traceback."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # Until a command says otherwise: nothing is open yet, nothing needs an end.
        signal.signal(number, lambda *_: os._exit(0))
    try:
        from edge_engine import cli
    except ImportError as error:
        cure = "apt-get install libgl1 libglib2.0-0" if ".so" in str(error) else "install edge-engine again"
        print(f"edge-engine: a library is missing: {error}; try: {cure}", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    cli.main()


if __name__ == "__main__":
    main()
