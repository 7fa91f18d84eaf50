"""Report: what quantizing did to a model, as `edge-engine quantize --json` says it."""

from __future__ import annotations

import msgspec

REPORT_VERSION = 1


class Agreement(msgspec.Struct, frozen=True):
    """`value`: 0 to 1, what the floor is held against, called `measure`. Of objects also `ap`, over overlaps
    of 0.50 to 0.95, and how many objects of the float model were judged by; of classes, how many pictures,
    and the same over all of them, those included in which the float model is undecided."""

    measure: str
    value: float
    ap: float | None = None
    objects: int | None = None
    judged: int | None = None
    of_all: float | None = None

    def __str__(self) -> str:
        more = f", AP50:95 {self.ap:.3f}, {self.objects} objects" if self.ap is not None else ""
        more += f" in {self.judged} pictures" if self.judged is not None else ""
        more += f", {self.of_all:.3f} in all" if self.of_all is not None else ""
        return f"{self.measure} {self.value:.3f}{more}"


class LayerHarm(msgspec.Struct, frozen=True):
    """`harm`: to the answers when this layer alone is quantized, 0 to 1; `share`: of the model's
    multiply-adds."""

    name: str
    operator: str
    harm: float
    share: float
    is_float: bool


class Latency(msgspec.Struct, frozen=True):
    """Of one inference on one thread, in milliseconds."""

    float_ms: float
    int8_ms: float


class Quantization(msgspec.Struct, frozen=True, kw_only=True):
    """`agreement`: with the float model, on `judged` pictures that neither calibrated (`calibrated` others
    did) nor were looked at by the search. `groups`: what was quantized beside layers with weights. `layers`:
    all with weights, the most harmful first. `latency`: None where the target is another kind of machine."""

    version: int
    model: str
    sha256: str
    out: str
    out_sha256: str
    task: str
    family: str
    target: str
    method: str
    groups: tuple[str, ...]
    agreement: Agreement
    floor: float
    calibrated: int
    judged: int
    unreadable: int
    float_bytes: int
    int8_bytes: int
    latency: Latency | None
    layers: list[LayerHarm]
    repairs: list[str]
    notes: list[str]
    seconds: float
