"""The zoo: small models that ship with the package, each with its licence and checksum.

`index.json` is written by the import scripts in tools/; a file that does not match it is refused.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from edge_engine.errors import ModelError

FOLDER = Path(__file__).parent


class ZooEntry(msgspec.Struct, frozen=True):
    """One model of the zoo, as index.json has it."""

    file: str
    sha256: str
    bytes: int
    task: str
    licence: str
    source: str
    description: str

    @property
    def path(self) -> Path:
        return FOLDER / self.file


def entries() -> dict[str, ZooEntry]:
    """All models, by the name that a configuration uses."""
    return msgspec.json.decode((FOLDER / "index.json").read_bytes(), type=dict[str, ZooEntry])


def find_model(name: str) -> Path:
    """A zoo model's verified file, or the path itself when `name` is none of the zoo's."""
    known = entries()
    if name not in known:
        if "/" not in name and not Path(name).exists() and not name.endswith(".onnx"):
            raise ModelError(f"model {name!r}: neither a file nor in the zoo, which has {', '.join(known)}")
        return Path(name)
    entry = known[name]
    if not entry.path.exists():
        raise ModelError(f"{entry.path}: the zoo's file is missing; install the package again")
    if hashlib.sha256(entry.path.read_bytes()).hexdigest() != entry.sha256:
        raise ModelError(f"{entry.path}: differs from its checksum in index.json; install the package again")
    return entry.path
