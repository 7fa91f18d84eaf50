"""Catalogue: well-known models with a permissive licence that `edge-engine models pull NAME` fetches.

catalogue.json holds, by name: `url`, at which the file never changes; `sha256` and `bytes` of the file, which
at least two independent publications give; `task`; `licence`, of the weights, as SPDX has it; `source`;
`description`; and `sidecar`, a file in sidecars/ that is laid beside the model and says what it doesn't say.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

FOLDER = Path(__file__).parent


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A model that can be pulled, or was. One that is pulled by its address has no task and no licence."""

    url: str
    sha256: str
    bytes: int | None = None
    task: str = ""
    licence: str = ""
    source: str = ""
    description: str = ""
    sidecar: str = ""

    @property
    def sidecar_path(self) -> Path | None:
        return FOLDER / "sidecars" / self.sidecar if self.sidecar else None


def catalogue_records() -> dict[str, Record]:
    return msgspec.json.decode((FOLDER / "catalogue.json").read_bytes(), type=dict[str, Record])
