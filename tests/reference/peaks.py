"""decode_peaks_reference: CenterNet's heat map decoded in plain numpy, all cells at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def decode_peaks_reference(
    heat: NDArray[np.float32],
    sizes: NDArray[np.float32],
    offsets: NDArray[np.float32],
    stride: float,
    is_logits: bool,
    threshold: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]:
    """All candidates' boxes xyxy [n, 4], scores [n] and class ids [n], class by class, row by row."""
    _, rows, columns = heat.shape
    around = np.pad(heat, ((0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
    highest = np.fmax.reduce([around[:, v : v + rows, u : u + columns] for v in range(3) for u in range(3)])
    with np.errstate(over="ignore", invalid="ignore"):
        scores = (1 / (1 + np.exp(-heat.astype(np.float64)))).astype(np.float32) if is_logits else heat
        is_peak = (heat == highest) & (scores >= np.float32(threshold)) & (sizes > 0).all(axis=0)
        class_ids, y, x = np.nonzero(is_peak)
        centres = np.stack([x, y], axis=1) + offsets[:, y, x].T.astype(np.float64)
        halves = sizes[:, y, x].T.astype(np.float64) / 2
        boxes = np.concatenate([centres - halves, centres + halves], axis=1) * stride
        return boxes.astype(np.float32), scores[class_ids, y, x], class_ids.astype(np.int32)
