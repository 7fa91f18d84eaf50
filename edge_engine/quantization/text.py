"""Text: a report for people, in lines."""

from __future__ import annotations

from edge_engine.quantization.report import Quantization


def summary(report: Quantization) -> list[str]:
    """What was reached, and how."""
    floats = sum(layer.is_float for layer in report.layers)
    work = sum(layer.share for layer in report.layers if layer.is_float)
    beside = f", beside them {' and '.join(report.groups)}" if report.groups else ""
    layers, target = len(report.layers), report.target
    lines = [
        f"agrees with the float model: {report.agreement}; the floor is {report.floor:g}",
        f"judged by {report.judged} pictures, calibrated with {report.calibrated} others ({report.method})",
        f"INT8 for {target}: {layers - floats} of {layers} layers{beside}; {work:.1%} of the work in float",
        f"size {report.float_bytes / 1e6:.2f} MB → {report.int8_bytes / 1e6:.2f} MB",
    ]
    if report.latency is not None:
        was, now = report.latency.float_ms, report.latency.int8_ms
        lines.append(f"one inference on one thread {was:.1f} ms → {now:.1f} ms, {was / now:.2f} × as fast")
    if report.unreadable:
        lines.append(f"{report.unreadable} pictures could not be read and were left out")
    return lines + report.notes
