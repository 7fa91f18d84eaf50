"""python -m tests.languages.soak [--messages 300000] [--seed 0]

The decoders in C++ (under AddressSanitizer and UndefinedBehaviorSanitizer) and in JavaScript on that many
harmed messages: each must say what Python says. Exit 1 on a difference; a crash is one.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.languages.decoders import HERE, SANITIZERS, compile_cpp, need, said_by, said_by_python
from tests.languages.mutation import mutated
from tests.languages.test_decoders import NAMES, bytes_of, holds, may_differ
from tests.sources import soak_network
from tests.sources.soak_network import report

_BATCH = 25_000


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--messages", type=int, default=300_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    good = [bytes_of(name) for name in NAMES]
    with tempfile.TemporaryDirectory() as folder:
        programs = {
            "C++": [compile_cpp("decode", Path(folder), *SANITIZERS)],
            "JavaScript": [need("node"), HERE / "js/decode.mjs"],
        }
        for name, program in programs.items():
            differ = whole = 0
            for batch in range(arguments.messages // _BATCH):
                messages = mutated(good, _BATCH, arguments.seed + batch)
                for message, said in zip(messages, said_by(program, messages), strict=True):
                    wanted = said_by_python(message)
                    whole += isinstance(wanted, dict)
                    differ += not (holds(said, wanted) or may_differ(message, said, wanted))
            what = (
                f"{name}: {arguments.messages} harmed messages, {whole} of them still whole, told otherwise"
            )
            report(what, "0", str(differ), holds=not differ)
    sys.exit(bool(soak_network.misses))


if __name__ == "__main__":
    main()
