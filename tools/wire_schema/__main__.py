"""python -m tools.wire_schema [--check]: writes what other languages need of edge_engine/wire.

To be run after every change of a message; --check writes nothing and exits 1 where something is out of date.
"""

from __future__ import annotations

import argparse
import sys

from edge_engine.languages import FOLDER
from tools.wire_schema import cpp, javascript, schema, typescript


def generated() -> dict[str, str]:
    """Each file's text, by its path in edge_engine/languages."""
    return {
        "wire.schema.json": schema.schema(),
        "cpp/edge_engine/messages.hpp": cpp.messages(),
        "js/messages.js": javascript.messages(),
        "js/messages.d.ts": typescript.messages(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true")
    is_check, stale = parser.parse_args().check, []
    for name, text in generated().items():
        path = FOLDER / name
        if not path.exists() or path.read_text() != text:
            stale.append(name)
            if not is_check:
                path.write_text(text)
    print(f"{'out of date' if is_check else 'written'}: {', '.join(stale) or 'nothing'}")
    sys.exit(bool(is_check and stale))


if __name__ == "__main__":
    main()
