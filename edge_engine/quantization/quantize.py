"""Quantize: a float model and the user's pictures → an INT8 model, and the proof that it says the same."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace
from onnx import ModelProto

from edge_engine.clock import NS_PER_S, monotonic_ns
from edge_engine.errors import ModelError
from edge_engine.evaluation.precision import import_library
from edge_engine.models.glance import check_file
from edge_engine.models.graph import repair, write_spec
from edge_engine.models.reading import read_spec
from edge_engine.models.repair import repaired
from edge_engine.models.spec import ModelSpec
from edge_engine.models.values import metadata_of
from edge_engine.processor import cores
from edge_engine.quantization.agreement import LOWEST_SCORE, threshold_for
from edge_engine.quantization.formats import Target, format_for, has_dot_products
from edge_engine.quantization.frames import Pictures, gather
from edge_engine.quantization.histogram import Histogram
from edge_engine.quantization.laboratory import Laboratory, Plan, Sample
from edge_engine.quantization.layers import Layer, find_layers, prepare
from edge_engine.quantization.notes import Notes
from edge_engine.quantization.pixels import take_pixels
from edge_engine.quantization.recogniser import Recogniser, answers
from edge_engine.quantization.report import REPORT_VERSION, Agreement, Latency, LayerHarm, Quantization
from edge_engine.quantization.search import (
    Harm,
    Search,
    Step,
    exclusions,
    measured_harms,
    times_ms,
)
from edge_engine.quantization.statistics import count_values, values_to_watch
from edge_engine.result import Answer

# Objects of the float model that are wanted to judge by, in each half of the pictures.
_WANTED_OBJECTS = 8
_NAMED = 5
_FEW_PICTURES = 32
_MACHINES = {"x86": {"x86_64", "amd64", "i686"}, "arm": {"aarch64", "arm64", "armv7l"}}


@dataclass(frozen=True)
class Quantized:
    """The new file's content, what is told of it, and both models' answers to the judging pictures:
    objects count from `threshold` on."""

    data: bytes
    report: Quantization
    spec: ModelSpec
    threshold: float
    judging: Sample
    found: list[Answer]


def quantize(
    path: Path, what: str, out: Path, *, target: Target, floor: float, most: int, on_step: Step
) -> Quantized:
    """`what`: where pictures are; at most `most` of them are taken. Nothing is written.

    Raises ModelError where the floor isn't reached, naming the layers that hurt; DataError, SourceError.
    """
    started_ns = monotonic_ns()
    check_file(path)
    on_step("reading the model", 0, 0)
    repaired(path)  # in a process of its own first: a bad file may end that one
    float_model, repairs = repair(path)
    reference = Recogniser(float_model)
    _expect_library(reference)
    base, layers, pixels = _prepared(path, float_model, target)
    on_step("gathering pictures", 0, 0)
    pictures = gather(what, reference.spec.input, most)
    calibrating, judging = _samples(float_model, pictures, on_step)
    notes = Notes(_digest(float_model), pictures.digest, repr(format_for(target)))
    counted = _counted(base, layers, calibrating, notes, on_step)
    laboratory = Laboratory(
        base,
        layers,
        counted,
        format_for(target),
        pixels,
        reference.spec,
        threshold_for(reference.spec, calibrating.truth, _WANTED_OBJECTS),
        notes,
    )
    per_picture = times_ms([reference], calibrating, 1.0)[0] / 1000
    plan, harms = measured_harms(laboratory, calibrating, per_picture, on_step)
    search, is_here = Search(laboratory, harms, calibrating, floor, on_step), _is_here(target)
    plan, agreement = _best(path, search, plan, judging, is_timed=is_here)
    on_step("measuring", 0, 0)
    made = _finished(laboratory.model(plan), out)
    data = made.SerializeToString()
    latency = _latency(float_model, made, judging) if is_here else None
    report = Quantization(
        version=REPORT_VERSION,
        model=str(path),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        out=str(out),
        out_sha256=hashlib.sha256(data).hexdigest(),
        task=reference.spec.task,
        family=reference.spec.family,
        target=target,
        method=plan.method,
        groups=plan.groups,
        agreement=agreement,
        floor=floor,
        calibrated=len(calibrating.pictures),
        judged=len(judging.pictures),
        unreadable=pictures.unreadable,
        float_bytes=path.stat().st_size,
        int8_bytes=len(data),
        latency=latency,
        layers=_layers(harms, plan),
        repairs=repairs,
        notes=_notes(laboratory, pictures, target, latency),
        seconds=(monotonic_ns() - started_ns) / NS_PER_S,
    )
    found = laboratory.answers(made, judging)
    return Quantized(data, report, reference.spec, laboratory.threshold, judging, found)


def _expect_library(reference: Recogniser) -> None:
    if reference.spec.task in ("detection", "instance-segmentation", "pose"):
        import_library()


def _samples(float_model: ModelProto, pictures: Pictures, on_step: Step) -> tuple[Sample, Sample]:
    both = [*pictures.calibrating, *pictures.judging]
    found = answers(
        float_model,
        both,
        LOWEST_SCORE,
        cores(),
        lambda done: on_step("asking the float model", done, len(both)),
    )
    half = len(pictures.calibrating)
    return (
        Sample("calibrating", pictures.calibrating, found[:half]),
        Sample("judging", pictures.judging, found[half:]),
    )


def _prepared(
    path: Path, float_model: ModelProto, target: Target
) -> tuple[ModelProto, list[Layer], str | None]:
    """The graph that is quantized, what in it can be, and the value that the picture is read as."""
    base = ModelProto()
    base.CopyFrom(float_model)
    try:
        prepare(base)
        pixels = take_pixels(base) if format_for(target).takes_pixels else None
        return base, find_layers(base), pixels
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None


def _digest(model: ModelProto) -> str:
    return hashlib.sha256(model.SerializeToString(deterministic=True)).hexdigest()


def _counted(
    base: ModelProto, layers: list[Layer], sample: Sample, notes: Notes, on_step: Step
) -> dict[str, Histogram]:
    known = notes.histograms()
    if known is not None:
        return known
    count = len(sample.pictures)
    watched = values_to_watch(base, layers)
    counted = count_values(
        base, watched, sample.pictures, lambda done: on_step("counting its values", done, count)
    )
    notes.keep(counted)
    return counted


def _best(
    path: Path, search: Search, plan: Plan, judging: Sample, *, is_timed: bool
) -> tuple[Plan, Agreement]:
    """The search looks at the calibrating pictures; the judging ones decide."""
    laboratory = search.laboratory
    plans = exclusions(plan, search.harms)
    seen: list[Agreement] = []
    while (candidate := search.first_that_agrees(plans)) is not None:
        wider = search.with_faster_groups(candidate) if is_timed else candidate
        for each in dict.fromkeys((wider, candidate)):
            search.on_step("judging", 0, 0)
            seen.append(laboratory.agreement(each, judging))
            if seen[-1].value >= search.floor:
                return each, seen[-1]
    best = max(seen, key=lambda each: each.value, default=None)
    raise _refused(path, search.harms, best, search.floor)


def _refused(path: Path, harms: Sequence[Harm], best: Agreement | None, floor: float) -> ModelError:
    worst = sorted(harms, key=lambda each: -each.harm)[:_NAMED]
    named = ", ".join(f"{each.layer.name} ({each.layer.operator}) {each.harm:.3f}" for each in worst)
    reached = f"{best} on pictures kept apart" if best is not None else "not even on the calibrating pictures"
    return ModelError(
        f"{path}: no INT8 model agrees with it to {floor:g} ({reached}); nothing is written. Most harm, each "
        f"quantized alone: {named}. Give more pictures, or lower --min-agreement"
    )


def _finished(model: ModelProto, out: Path) -> ModelProto:
    write_spec(model, replace(read_spec(out, metadata_of(model)), name=out.stem))
    model.producer_name, model.producer_version = "edge_engine", ""
    return model


def _latency(float_model: ModelProto, made: ModelProto, judging: Sample) -> Latency:
    pair = [Recogniser(model, threads=1) for model in (float_model, made)]
    float_ms, int8_ms = times_ms(pair, judging, 12.0)
    return Latency(float_ms, int8_ms)


def _is_here(target: Target) -> bool:
    """Whether this machine is of the kind that the model is made for."""
    return platform.machine().lower() in _MACHINES.get(target, set())


def _layers(harms: list[Harm], plan: Plan) -> list[LayerHarm]:
    return [
        LayerHarm(
            name=each.layer.name,
            operator=each.layer.operator,
            harm=each.harm,
            share=each.share,
            is_float=each.layer.name in plan.floats,
        )
        for each in sorted(harms, key=lambda each: -each.harm)
    ]


def _notes(laboratory: Laboratory, pictures: Pictures, target: Target, latency: Latency | None) -> list[str]:
    notes = []
    if latency is not None and latency.int8_ms > latency.float_ms:
        notes.append("it is smaller, but no faster here than the float model")
    if len(pictures.judging) < _FEW_PICTURES:
        notes.append(f"only {len(pictures.judging)} pictures judged it: more make the proof worth more")
    if laboratory.threshold < laboratory.spec.score_threshold:
        notes.append(
            f"the float model finds little here: its objects from score {laboratory.threshold:.3f} on count"
        )
    if target == "x86" and not has_dot_products():
        notes.append("weights have 7 bits: this processor has no VNNI, with which 8 would be exact")
    return notes
