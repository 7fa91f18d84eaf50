"""Result: what was recognised in one frame, as a struct of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_engine.frame import Frame


@dataclass(slots=True)
class Objects:
    """n recognised objects, highest score first.

    `boxes_xyxy`: float32 [n, 4], left, top, right, bottom; `scores`: float32 [n], 0..1;
    `class_ids`: int32 [n], index into the model's labels.
    """

    boxes_xyxy: NDArray[np.float32]
    scores: NDArray[np.float32]
    class_ids: NDArray[np.int32]

    def __post_init__(self) -> None:
        n = len(self.scores)
        if self.boxes_xyxy.shape != (n, 4) or self.class_ids.shape != (n,):
            raise ValueError(
                f"objects disagree in number: boxes {self.boxes_xyxy.shape}, scores {self.scores.shape}, "
                f"classes {self.class_ids.shape}"
            )

    def __len__(self) -> int:
        return len(self.scores)

    @classmethod
    def none(cls) -> Objects:
        return cls(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.int32))


@dataclass(slots=True)
class Result:
    """One frame's answer. Boxes are in source pixels; stamps are monotonic nanoseconds.

    `frame.pixels` is there only in an engine that was asked to keep them.
    """

    frame: Frame
    objects: Objects
    labels: Sequence[str]
    model: str
    session: str
    valid_until_ns: int
    published_ns: int = 0

    @property
    def stream(self) -> str:
        return self.frame.stream

    @property
    def seq(self) -> int:
        return self.frame.seq

    def names(self) -> list[str]:
        """Each object's label, in the order of `objects`."""
        return [self.labels[class_id] for class_id in self.objects.class_ids]
