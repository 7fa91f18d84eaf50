"""What the rings between the stages carry. A slot's arrays are made once and filled again and again."""

from __future__ import annotations

from edge_engine.frame import Frame
from edge_engine.models.model import Model, Tensor
from edge_engine.result import Result
from edge_engine.ring import Slot


class FrameSlot(Slot):
    """capture → preprocess."""

    __slots__ = ("frame",)

    def __init__(self) -> None:
        super().__init__()
        self.frame: Frame | None = None


class Canvas:
    """A model's input, uint8 [1, height, width, 3], and the (top, bottom, left, right) that is painted."""

    __slots__ = ("filled", "tensor")

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor
        self.filled: tuple[int, int, int, int] | None = None


class TensorSlot(Slot):
    """preprocess → infer: a picture on the canvas of the model that is to see it."""

    __slots__ = ("_canvases", "frame", "model")

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.frame: Frame | None = None
        self.model = model
        self._canvases: dict[Model, Canvas] = {}

    @property
    def canvas(self) -> Canvas:
        """That of the slot's model, made when it is first needed."""
        if self.model not in self._canvases:
            self._canvases[self.model] = Canvas(self.model.new_input())
        return self._canvases[self.model]


class OutputSlot(Slot):
    """infer → postprocess: its model's raw outputs; [batch, …], one row per frame, when that takes batches.

    `orders` are the frames' places among all inferences; `unread` counts the rows that are still needed.
    """

    __slots__ = ("_outputs", "error", "frames", "model", "orders", "unread")

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.frames: list[Frame] = []
        self.orders: list[int] = []
        self.model = model
        self.unread = 0
        self.error: str | None = None
        self._outputs: dict[Model, list[Tensor]] = {}

    @property
    def outputs(self) -> list[Tensor]:
        """Those of the slot's model, made when they are first needed."""
        if self.model not in self._outputs:
            self._outputs[self.model] = self.model.new_outputs()
        return self._outputs[self.model]

    def of_row(self, row: int) -> list[Tensor]:
        """The outputs of one frame. Without batches all of them are: their first dimension may be another."""
        if self.model.setting.batch == 1:
            return self.outputs
        return [output[row : row + 1] for output in self.outputs]


class ResultSlot(Slot):
    """postprocess → publish, and publish → whoever iterates over the engine's results."""

    __slots__ = ("result",)

    def __init__(self) -> None:
        super().__init__()
        self.result: Result | None = None
