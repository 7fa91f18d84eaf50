"""Finding: one line of a diagnosis."""

from __future__ import annotations

from typing import Literal

import msgspec

Level = Literal["ok", "note", "bad"]


class Finding(msgspec.Struct, frozen=True):
    """`bad` keeps the engine from working, `note` costs speed, comfort or a feature; `cure` is empty where it
    is ok, or where nothing can be done."""

    check: str
    level: Level
    found: str
    cure: str = ""
