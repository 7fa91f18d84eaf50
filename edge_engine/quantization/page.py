"""Page: the proof as one self-contained HTML file, with both models' answers side by side."""

from __future__ import annotations

import base64
from html import escape

import numpy as np

from edge_engine.bench.plots import stacked_bars
from edge_engine.quantization.drawing import drawn
from edge_engine.quantization.harm import harm
from edge_engine.quantization.quantize import Quantized
from edge_engine.quantization.report import Quantization
from edge_engine.quantization.text import summary

_STYLE = """
:root { color-scheme: light dark }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1040px; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.4rem } svg { width: 100%; max-width: 720px } svg .bold { font-weight: 600 }
svg text { font: 12px system-ui, sans-serif; fill: currentColor }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: .5rem; margin: 1rem 0 } img { width: 100% }
"""
_SHOWN = 8
_BARS = 24
_NAME = 16


def page(made: Quantized) -> str:
    report = made.report
    title = f"{report.out}: INT8, {report.agreement.measure} {report.agreement.value:.3f}"
    told = "".join(f"<li>{escape(line)}</li>" for line in [*summary(report), *report.repairs])
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>'
        f"<h1>{escape(title)}</h1><p>{escape(report.task)}, family {escape(report.family)}</p>"
        f"<ul>{told}</ul>{_harms(report)}<h1>Float, and INT8</h1>"
        f"<p>The pictures in which they differ most, of those kept apart to judge.</p>{_pairs(made)}"
        f"<p>SHA-256 {report.out_sha256}</p></body></html>\n"
    )


def _harms(report: Quantization) -> str:
    rows = {
        _short(layer.name): {"stays in float" if layer.is_float else "INT8": layer.harm}
        for layer in report.layers[:_BARS]
    }
    return stacked_bars("Harm of each layer when quantized alone, 0 to 1: the worst", rows, "{:.3f}")


def _short(name: str) -> str:
    return name if len(name) <= _NAME else "…" + name[1 - _NAME :]


def _pairs(made: Quantized) -> str:
    sample, spec = made.judging, made.spec
    harms = [harm([t], [f], made.threshold) for t, f in zip(sample.truth, made.found, strict=True)]
    worst = np.argsort(harms, kind="stable")[::-1][:_SHOWN].tolist()
    parts = []
    for i in worst:
        pair = "".join(
            _image(drawn(sample.pictures[i], answer, spec, made.threshold), name)
            for name, answer in (("float", sample.truth[i]), ("INT8", made.found[i]))
        )
        parts.append(f'<div class="pair">{pair}</div>')
    return "".join(parts)


def _image(jpeg: bytes, name: str) -> str:
    return f'<img alt="{name}" src="data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}">'
