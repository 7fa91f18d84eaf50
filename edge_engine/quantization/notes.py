"""Notes: what was counted and tried, kept in the user's cache, so that a run that was ended goes on."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np

from edge_engine.cache import cache_folder, write_atomically
from edge_engine.quantization.histogram import Histogram
from edge_engine.quantization.report import Agreement

# Names what the steps of quantizing give: newer ones don't take what older ones left.
_VERSION = 4


class Tried(msgspec.Struct):
    """By a trial's name."""

    harms: dict[str, float] = {}
    agreements: dict[str, Agreement] = {}


class Notes:
    """Of one model, its pictures and whatever else `about` holds."""

    def __init__(self, *about: str) -> None:
        key = hashlib.sha256("\0".join((str(_VERSION), *about)).encode()).hexdigest()
        self._folder = cache_folder() / "quantize" / key[:24]
        self.tried = self._load()

    def save(self) -> None:
        write_atomically(self._trials(), msgspec.json.encode(self.tried))

    def histograms(self) -> dict[str, Histogram] | None:
        """None when they haven't been counted yet."""
        try:
            with np.load(self._counts(), allow_pickle=False) as kept:
                names = kept["names"].tolist()
                rows = zip(names, kept["ends"].tolist(), kept["counts"], strict=True)
                return {name: Histogram.of(tuple(ends), counts) for name, ends, counts in rows}
        except (OSError, ValueError, KeyError):  # a file that can't be used is as good as none
            return None

    def keep(self, counted: Mapping[str, Histogram]) -> None:
        ends = [(each.low, each.high, each.reach) for each in counted.values()]
        counts = np.array([each.counts for each in counted.values()])
        buffer = io.BytesIO()
        np.savez_compressed(buffer, names=np.array(list(counted)), ends=np.array(ends), counts=counts)
        write_atomically(self._counts(), buffer.getvalue())

    def _load(self) -> Tried:
        try:
            return msgspec.json.decode(self._trials().read_bytes(), type=Tried)
        except (OSError, msgspec.MsgspecError):
            return Tried()

    def _trials(self) -> Path:
        return self._folder / "trials.json"

    def _counts(self) -> Path:
        return self._folder / "counts.npz"
