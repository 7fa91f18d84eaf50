"""Infer: one of several workers that run the model on slots of input, one by one or several at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edge_engine.clock import monotonic_ns
from edge_engine.errors import ModelError
from edge_engine.frame import Frame
from edge_engine.models.model import Binding, InferenceError, Model, Tensor
from edge_engine.ring import Ring, RingClosed
from edge_engine.slots import OutputSlot, TensorSlot

# So many failures in a row are the model's or the device's fault, not the frame's.
_TOLERATED_FAILURES = 10


class Infer:
    """Takes a place for its outputs before its input: a worker that waits for input is one that is free.

    A model that takes several pictures at once gets those that are there, of whichever streams; there is but
    that one then, while else each picture says which form of the model is to see it.
    """

    def __init__(
        self,
        worker: int,
        model: Model,
        source: Ring[TensorSlot],
        output: Ring[OutputSlot],
        run_options: Any = None,  # noqa: ANN401 - onnxruntime has no types
    ) -> None:
        self.name = f"infer-{worker}"
        self._batch_size = model.setting.batch
        self._input = source
        self._output = output
        self._run_options = run_options
        self._batch: Tensor | None = model.new_batch() if model.setting.batch > 1 else None
        self._bindings: dict[tuple[int, int, int], Binding] = {}
        self._failures = 0

    def step(self) -> None:
        slot = self._output.acquire()
        try:
            taken = self._input.take_many(self._batch_size)
        except RingClosed:
            self._output.discard(slot)
            raise
        started_ns = monotonic_ns()
        slot.model = taken[0].model
        slot.error = self._run(slot.model, self._binding(taken, slot))
        work_ns = monotonic_ns() - started_ns
        slot.frames = [self._let_go(each, work_ns) for each in taken]
        slot.orders = [each.ticket for each in taken]
        slot.unread = len(taken)
        for each in taken:
            self._input.release(each)
        # A failed frame is handed on all the same: its place in the order must not stay empty.
        self._output.commit(slot)

    def _binding(self, taken: Sequence[TensorSlot], slot: OutputSlot) -> Binding:
        """One picture is read where it lies; several are laid one behind the other first."""
        if self._batch is None:
            (single,) = taken
            key, tensor, outputs = (id(single), id(slot)), single.canvas.tensor, slot.outputs
        else:
            for row, each in enumerate(taken):
                self._batch[row] = each.canvas.tensor[0]
            key, tensor = (len(taken), id(slot)), self._batch[: len(taken)]
            outputs = [output[: len(taken)] for output in slot.outputs]
        of_model = (*key, id(slot.model))
        if of_model not in self._bindings:
            self._bindings[of_model] = slot.model.bind(tensor, outputs)
        return self._bindings[of_model]

    @staticmethod
    def _let_go(slot: TensorSlot, work_ns: int) -> Frame:
        assert slot.frame is not None
        frame, slot.frame = slot.frame, None
        frame.work_ns["infer"] = work_ns
        return frame

    def _run(self, model: Model, binding: Binding) -> str | None:
        """Why the inference failed, or None."""
        try:
            model.run(binding, self._run_options)
        except InferenceError as error:
            self._failures += 1
            if self._failures >= _TOLERATED_FAILURES:
                raise ModelError(
                    f"{model.path}: {self._failures} inferences in a row failed; the last: {error}"
                ) from None
            return str(error)
        self._failures = 0
        return None

    def finish(self) -> None:
        self._bindings.clear()
        self._output.close()
