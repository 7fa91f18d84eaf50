"""CenterNet (arXiv:1904.07850): objects as peaks of a heat map per class, without anchors or suppression.

Outputs: heat [1, classes, rows, columns], sizes [1, 2, rows, columns], width and height, and offsets
[1, 2, rows, columns] of the centres within their cells, x and y, both in cells; a cell is 4 input pixels.
xingyizhou/CenterNet calls them hm, wh and reg, mmdetection center_heatmap_pred, wh_pred and offset_pred;
both keep this order.

Options: `is_logits`, whether the heat still lacks its sigmoid (it has it by default); `sizes` and `offsets`,
names of those outputs, else they are told by their names or order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from numpy.typing import NDArray

from edge_engine.errors import ModelError
from edge_engine.kernels.peaks import decode_peaks
from edge_engine.models.facts import Deduction, GraphFacts
from edge_engine.models.families.candidates import Candidates
from edge_engine.models.families.outputs import misfit
from edge_engine.models.spec import ModelSpec
from edge_engine.result import Objects

Shapes = dict[str, tuple[int, ...]]

_STRIDE = 4
_SIZES, _OFFSETS = ("wh", "size"), ("reg", "off")
# Its own, of pictures 0..1 as OpenCV reads them: blue, green, red.
_MEAN = tuple(255 * value for value in (0.40789654, 0.44719302, 0.47026115))
_STD = tuple(255 * value for value in (0.28863828, 0.27408164, 0.27809835))


class Names(NamedTuple):
    heat: str
    sizes: str
    offsets: str


class CenterNet:
    def __init__(self, spec: ModelSpec, output_shapes: Shapes) -> None:
        names = list(output_shapes)
        found = self.reads(spec, output_shapes)
        self._heat, self._sizes, self._offsets = (names.index(name) for name in found)
        self._stride = spec.input.width / output_shapes[found[0]][3]
        self._is_logits = spec.options.get("is_logits", False)
        if not isinstance(self._is_logits, bool):
            raise ModelError(
                f"model {spec.name}: option is_logits is {self._is_logits!r}; expected true or false"
            )
        self._candidates = Candidates(spec)

    @staticmethod
    def reads(spec: ModelSpec, output_shapes: Shapes) -> list[str]:
        """The outputs of heat, sizes and offsets."""
        classes = len(spec.labels)
        maps: Shapes = {name: s for name, s in output_shapes.items() if len(s) == 4 and s[0] == 1}
        found = _sort(maps, spec.options)
        is_whole = found is not None and maps[found.heat][1] == classes
        if found is None or not is_whole or not _are_square(maps, (spec.input.width, spec.input.height)):
            heat = f"heat [1, {classes}, rows, columns] for {classes} labels"
            why = f"expected {heat}, sizes and offsets [1, 2, rows, columns]"
            raise misfit(spec, "centernet", output_shapes, why)
        return list(found)

    @staticmethod
    def deduce(facts: GraphFacts) -> Deduction | None:
        """Three maps of a quarter of the input's size; a graph without any sigmoid gives logits."""
        width, height = facts.size
        cells = (height // _STRIDE, width // _STRIDE)
        maps = facts.outputs
        if len(maps) != 3 or not all(
            len(s) == 4 and s[0] in (0, 1) and s[2:] == cells for s in maps.values()
        ):
            return None
        found = _sort(maps, {})
        if found is None or maps[found.heat][1] < 1:
            return None
        is_logits = not facts.operators.get("Sigmoid", 0)
        return Deduction(
            "centernet",
            "detection",
            maps[found.heat][1],
            colour="BGR",
            mean=(_MEAN[0], _MEAN[1], _MEAN[2]),
            std=(_STD[0], _STD[1], _STD[2]),
            letterbox="centre",
            pad=0,
            score_threshold=0.3,
            iou_threshold=1.0,
            options={"is_logits": is_logits, "sizes": found.sizes, "offsets": found.offsets},
        )

    def __call__(
        self, outputs: Sequence[NDArray[Any]], score_threshold: float, iou_threshold: float
    ) -> Objects:
        """An `iou_threshold` of 1, its authors' way, keeps every peak."""
        found = self._candidates
        maps = outputs[self._heat][0], outputs[self._sizes][0], outputs[self._offsets][0]
        into = found.boxes_xyxy, found.scores, found.class_ids
        count = decode_peaks(*maps, self._stride, self._is_logits, found.lowest(score_threshold), *into, 0)
        return found.suppress(count, score_threshold, iou_threshold)


def _are_square(maps: Shapes, size: tuple[int, int]) -> bool:
    """Whether cells are as wide as high, in all maps the same."""
    (rows, columns), *others = {shape[2:] for shape in maps.values()}
    return not others and columns * size[1] == rows * size[0]


def _sort(maps: Shapes, options: dict[str, Any]) -> Names | None:
    """Which of three maps is which; None when they are not three, or none of two planes can be the heat."""
    pairs = [name for name, shape in maps.items() if shape[1] == 2]
    if len(maps) != 3 or len(pairs) < 2:
        return None
    sizes = options.get("sizes") or _named(pairs, _SIZES)
    offsets = options.get("offsets") or _named(pairs, _OFFSETS)
    if len(pairs) == 2 and {sizes, offsets} != set(pairs):
        sizes, offsets = pairs
    if sizes not in pairs or offsets not in pairs:
        return None
    heats = [name for name in maps if name not in (sizes, offsets)]
    if len(heats) != 1:
        return None
    return Names(heats[0], str(sizes), str(offsets))


def _named(names: list[str], parts: tuple[str, ...]) -> str | None:
    found = [name for name in names if any(part in name.lower() for part in parts)]
    return found[0] if len(found) == 1 else None
