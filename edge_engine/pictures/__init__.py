"""Pictures with known content, to try a model on. `index.json` is written by tools/import_pictures.py."""

from __future__ import annotations

from pathlib import Path

import msgspec

FOLDER = Path(__file__).parent


class KnownPicture(msgspec.Struct, frozen=True):
    """`shows`: what can be seen, in words that labels of well-known datasets have."""

    file: str
    sha256: str
    shows: tuple[str, ...]
    licence: str

    @property
    def path(self) -> Path:
        return FOLDER / self.file


def known_pictures() -> dict[str, KnownPicture]:
    return msgspec.json.decode((FOLDER / "index.json").read_bytes(), type=dict[str, KnownPicture])
