"""What the rings between the stages carry. A slot's arrays are made once and filled again and again."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from edge_engine.frame import Frame
from edge_engine.result import Result
from edge_engine.ring import Slot


class FrameSlot(Slot):
    """capture → preprocess."""

    __slots__ = ("frame",)

    def __init__(self) -> None:
        super().__init__()
        self.frame: Frame | None = None


class TensorSlot(Slot):
    """preprocess → infer: the model's input, and where the picture lies in it."""

    __slots__ = ("filled", "frame", "tensor")

    def __init__(self, tensor: NDArray[Any]) -> None:
        super().__init__()
        self.frame: Frame | None = None
        self.tensor = tensor
        self.filled: tuple[int, int, int, int] | None = None


class OutputSlot(Slot):
    """infer → postprocess: the model's raw outputs; [batch, …], one row per frame, when it takes batches.

    `orders` are the frames' places among all inferences; `unread` counts the rows that are still needed.
    """

    __slots__ = ("batch", "error", "frames", "orders", "outputs", "unread")

    def __init__(self, outputs: list[NDArray[Any]], batch: int) -> None:
        super().__init__()
        self.frames: list[Frame] = []
        self.orders: list[int] = []
        self.outputs = outputs
        self.batch = batch
        self.unread = 0
        self.error: str | None = None

    def of_row(self, row: int) -> list[NDArray[Any]]:
        """The outputs of one frame. Without batches all of them are: their first dimension may be another."""
        if self.batch == 1:
            return self.outputs
        return [output[row : row + 1] for output in self.outputs]


class ResultSlot(Slot):
    """postprocess → publish, and publish → whoever iterates over the engine's results."""

    __slots__ = ("result",)

    def __init__(self) -> None:
        super().__init__()
        self.result: Result | None = None
