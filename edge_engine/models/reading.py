"""Reading: what a model is, by the first source that says so, and where each fact comes from.

Our own metadata inside the file; that of Ultralytics' exporter; else what the graph shows to the families,
with a sidecar's word above it. What stays unknown is asked for in one line.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from edge_engine.errors import ModelError
from edge_engine.models.choice import with_labels
from edge_engine.models.facts import Deduction, GraphFacts, Origin
from edge_engine.models.families import FAMILIES, load_family
from edge_engine.models.labels import customary_labels
from edge_engine.models.sidecar import Sidecar, load_sidecar, sidecar_path
from edge_engine.models.spec import METADATA_KEY, SPEC_VERSION, InputSpec, Layout, ModelSpec, Task
from edge_engine.models.ultralytics import is_ultralytics, labels_of_yolov5, spec_of_ultralytics

_SAID = ("task", "keypoint_names", "score_threshold", "iou_threshold", "label_thresholds", "classes")
"""Of a spec, what a sidecar may say; else it is assumed."""


class Known(NamedTuple):
    """Labels, by who says them."""

    given: tuple[str, ...]
    sidecar: tuple[str, ...]
    metadata: tuple[str, ...]


class Reading(NamedTuple):
    """`origins`: where each fact of the spec comes from, by its name."""

    spec: ModelSpec
    origins: dict[str, Origin]


def read_spec(path: Path, metadata: dict[str, str]) -> ModelSpec:
    """The spec that is written in a file, as repair leaves it; ModelError when there is none."""
    text = metadata.get(METADATA_KEY)
    if text is None:
        raise ModelError(f"{path}: has no {METADATA_KEY!r} metadata; repair it first")
    return _own(path, text)


def read_model(
    path: Path,
    metadata: dict[str, str],
    layout: Layout,
    look: Callable[[Sidecar], GraphFacts],
    labels: tuple[str, ...] = (),
) -> Reading:
    """What a file is, as it comes from an exporter. `look` finds the graph's facts, given a sidecar's.
    `labels`: in place of those that it has.

    Raises ModelError, in one line, when something stays unknown.
    """
    text = metadata.get(METADATA_KEY)
    if text is not None:
        return _all_from(path, _own(path, text), labels)
    if is_ultralytics(metadata):
        return _all_from(path, spec_of_ultralytics(path, metadata, layout, look), labels)
    sidecar = load_sidecar(path) or Sidecar()
    facts = look(sidecar)
    known = Known(labels, sidecar.labels or (), labels_of_yolov5(path, metadata))
    return _merged(path, facts, _deduced(path, facts, sidecar), sidecar, known)


def _own(path: Path, text: str) -> ModelSpec:
    try:
        spec = msgspec.json.decode(text, type=ModelSpec)
    except msgspec.MsgspecError as error:
        raise ModelError(f"{path}: its {METADATA_KEY!r} metadata can't be read: {error}") from None
    if spec.version > SPEC_VERSION:
        raise ModelError(f"{path}: its metadata has version {spec.version}, this engine knows {SPEC_VERSION}")
    return spec


def _all_from(path: Path, spec: ModelSpec, labels: tuple[str, ...]) -> Reading:
    """What metadata says, all but labels that are given."""
    names = [f"input.{name}" for name in InputSpec.__struct_fields__]
    origins: dict[str, Origin] = dict.fromkeys([*ModelSpec.__struct_fields__, *names], "metadata")
    if labels:
        origins["labels"] = "given"
    return Reading(with_labels(path, spec, labels), origins)


def _deduced(path: Path, facts: GraphFacts, sidecar: Sidecar) -> Deduction:
    """By the family that the sidecar names, or the only one that claims the graph."""
    names = [sidecar.family] if sidecar.family else sorted(FAMILIES)
    claims = [found for name in names if (found := load_family(name).deduce(facts)) is not None]
    if len(claims) == 1:
        return claims[0]
    outputs = ", ".join(f"{name} {list(shape)}" for name, shape in facts.outputs.items())
    if sidecar.family:
        raise ModelError(f"{path}: isn't of the family {sidecar.family!r}, by its outputs {outputs}")
    which = f"fits {' and '.join(claim.family for claim in claims)}" if claims else "fits no known family"
    raise ModelError(
        f"{path}: has no metadata that says what it is, and its graph {which} (outputs {outputs}); write "
        f"`family: …` into {sidecar_path(path)}; the README lists the families"
    )


def _merged(path: Path, facts: GraphFacts, found: Deduction, sidecar: Sidecar, known: Known) -> Reading:
    """The sidecar's word, else the graph's, else the family's custom."""
    said, origins = sidecar.input, dict[str, Origin]()
    chosen: dict[str, object] = {}
    for name in ("colour", "mean", "std", "letterbox", "pad", "crop"):
        value = getattr(said, name)
        chosen[name] = getattr(found, name) if value is None else value
        origins[f"input.{name}"] = "assumed" if value is None else "sidecar"
    for name in ("width", "height"):
        origins[f"input.{name}"] = "graph" if getattr(said, name) is None else "sidecar"
    width, height = facts.size
    picture = msgspec.convert(
        {"width": width, "height": height, "layout": facts.layout, "dtype": facts.dtype, **chosen}, InputSpec
    )
    labels, origins["labels"] = _labels(path, found, sidecar.task or found.task, known)
    for name in _SAID:
        origins[name] = "sidecar" if getattr(sidecar, name) not in (None, {}) else "assumed"
    origins |= {"family": "sidecar" if sidecar.family else "graph", "input.layout": "graph"}
    spec = ModelSpec(
        name=path.stem,
        task=sidecar.task or found.task,
        family=found.family,
        input=picture,
        labels=labels,
        keypoint_names=sidecar.keypoint_names or found.keypoint_names,
        score_threshold=_first(sidecar.score_threshold, found.score_threshold),
        iou_threshold=_first(sidecar.iou_threshold, found.iou_threshold),
        label_thresholds={str(name): limit for name, limit in sidecar.label_thresholds.items()},
        classes=tuple(str(name) for name in sidecar.classes or ()),
        options=found.options | sidecar.options,
        licence=sidecar.licence,
        source=sidecar.source,
    )
    return Reading(spec, origins | {"input.dtype": "graph"})


def _first(said: float | None, customary: float) -> float:
    return customary if said is None else said


def _labels(path: Path, found: Deduction, task: Task, known: Known) -> tuple[tuple[str, ...], Origin]:
    """Never guessed in silence: classes without names are named by custom or numbered; inspect shows that."""
    says: dict[Origin, str] = {
        "given": f"{path}: what is given as labels",
        "sidecar": str(sidecar_path(path)),
        "metadata": f"{path}: its metadata",
    }
    for labels, (origin, where) in zip(known, says.items(), strict=True):
        if labels and found.classes and len(labels) != found.classes:
            raise ModelError(f"{where}: has {len(labels)} labels; {path.name} has room for {found.classes}")
        if labels:
            return labels, origin
    if found.labels:
        return found.labels, "assumed"
    if not found.classes:
        raise ModelError(
            f"{path}: its graph doesn't show how many classes there are; write `labels: …` or "
            f"`labels_file: …` into {sidecar_path(path)}, or give --labels"
        )
    numbered = tuple(f"class {i}" for i in range(found.classes))
    return customary_labels(task, found.classes) or numbered, "assumed"
