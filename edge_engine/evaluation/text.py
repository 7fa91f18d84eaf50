"""Text: a report for a terminal. Shares as they are usually quoted, 0 to 1 with three places."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from edge_engine.evaluation.report import Accuracy, AveragePrecision, Hits, Overlap, TagScores
from edge_engine.models.names import some


def report_text(report: Accuracy) -> RenderableType:
    parts: list[RenderableType] = [escape(line) for line in _headline(report)]
    for name, precision in (("box", report.boxes), ("mask", report.masks), ("keypoint", report.keypoints)):
        if precision is not None:
            parts += _precision(name, precision)
    if report.classification is not None:
        parts += _hits(report.classification)
    if report.segmentation is not None:
        parts += _overlap(report.segmentation)
    if report.tagging is not None:
        parts += _tagging(report.tagging)
    return Group(*parts)


def _headline(report: Accuracy) -> list[str]:
    subject = report.subject
    speed = report.pictures / report.seconds
    of_all = f" of {report.of_pictures}" if report.pictures != report.of_pictures else ""
    lines = [
        f"{subject.model} (sha256 {subject.sha256[:12]}), {subject.task}, on {subject.provider}",
        f"{report.data} ({report.kind}): {report.pictures}{of_all} pictures, {speed:.0f} per second",
    ]
    if report.left_out:
        lines.append(f"left out, the model has no such labels: {some(report.left_out)}")
    return [*lines, *report.notes]


def _precision(name: str, found: AveragePrecision) -> list[RenderableType]:
    """Each class, then the means."""
    rows = [
        (label, str(row.labelled), _share(row.ap), _share(row.ap50), _share(row.ar))
        for label, row in found.classes.items()
    ]
    of_all = [
        ("AP", found.ap, "AR", found.ar),
        ("AP50", found.ap50, "AR50", found.ar50),
        ("AP75", found.ap75, "AR75", found.ar75),
        ("AP small", found.ap_small, "AR small", found.ar_small),
        ("AP medium", found.ap_medium, "AR medium", found.ar_medium),
        ("AP large", found.ap_large, "AR large", found.ar_large),
    ]
    means = [(f"{name} {ap}", _share(a), f"{name} {ar}", _share(b)) for ap, a, ar, b in of_all]
    return [
        "",
        _table(("class", "objects", f"{name} AP", "AP50", "AR"), rows),
        "",
        _table((f"mean over {len(rows)} classes", "", f"with {found.most} objects at most", ""), means),
    ]


def _hits(found: Hits) -> list[RenderableType]:
    rows = [(n, str(row.pictures), _share(row.top1), _share(row.top5)) for n, row in found.classes.items()]
    means = f"top-1 {_share(found.top1)}, top-5 {_share(found.top5)}"
    return ["", _table(("class", "pictures", "top-1", "top-5"), rows), "", means]


def _overlap(found: Overlap) -> list[RenderableType]:
    rows = [(label, str(row.pixels), _share(row.iou)) for label, row in found.classes.items()]
    means = f"mIoU {_share(found.miou)}, pixel accuracy {_share(found.pixel_accuracy)}"
    return ["", _table(("class", "pixels", "IoU"), rows), "", means]


def _tagging(found: TagScores) -> list[RenderableType]:
    rows = [
        (label, str(row.labelled), _share(row.ap), f"{row.threshold:g}", _share(row.f1))
        for label, row in found.labels.items()
    ]
    f1 = f"micro F1 {_share(found.micro_f1)}, macro F1 {_share(found.macro_f1)}"
    table = _table(("label", "pictures", "AP", "threshold", "F1"), rows)
    return ["", table, "", f"mAP {_share(found.map)}, {f1}"]


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for i, title in enumerate(titles):
        is_text = i == 0 or not title or title.startswith("with ")
        table.add_column(title, justify="left" if is_text else "right", overflow="fold")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    return table
