"""The zoo: small models that ship with the package, each with its licence and checksum, and those that
`edge-engine models pull` has fetched beside them.

`index.json` is written by the import scripts in tools/; a file that does not match it is refused, and a
pulled one that doesn't match its record.
"""

from __future__ import annotations

import difflib
from pathlib import Path

import msgspec

from edge_engine.errors import ModelError
from edge_engine.zoo.catalogue import catalogue_records
from edge_engine.zoo.pulled import pulled_path, pulled_record, pulled_records, sha256_of

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
    """All models that ship with the package, by the name that a configuration uses."""
    return msgspec.json.decode((FOLDER / "index.json").read_bytes(), type=dict[str, ZooEntry])


def find_model(name: str) -> Path:
    """A zoo model's verified file, or the path itself when `name` is none of the zoo's."""
    known = entries()
    if name in known:
        mend = "install the package again"
        return _verified(known[name].path, known[name].sha256, "its checksum in index.json", mend)
    is_file_name = "/" in name or name.endswith(".onnx")
    record = None if is_file_name else pulled_record(name)
    if record is not None:
        mend = (
            f"edge-engine models pull {name if name in catalogue_records() else record.url} fetches it anew"
        )
        return _verified(pulled_path(name), record.sha256, "the checksum that it was pulled with", mend)
    if is_file_name or Path(name).exists():
        return Path(name)
    if name in catalogue_records():
        raise ModelError(f"model {name!r}: not here yet; edge-engine models pull {name} fetches it")
    raise ModelError(f"model {name!r}: neither a file nor in the zoo, which has {_names(name)}")


def _verified(path: Path, sha256: str, what: str, mend: str) -> Path:
    if not path.exists():
        raise ModelError(f"{path}: the zoo's file is missing; {mend}")
    if sha256_of(path) != sha256:
        raise ModelError(f"{path}: differs from {what}; {mend}")
    return path


def _names(wanted: str) -> str:
    known = [*entries(), *pulled_records(), *catalogue_records()]
    near = difflib.get_close_matches(wanted, known, n=1)
    return ", ".join(dict.fromkeys(known)) + (f"; did you mean {near[0]}?" if near else "")
